/* SPDX-License-Identifier: MIT */
/*
 * datadir.c - the one object that knows where it is installed; see datadir.h.
 *
 * The Makefile gives DATADIR to this file alone, and only for the program that
 * `make install' copies.
 */

#include "broker/host/datadir.h"

#ifndef DATADIR
#define DATADIR "/usr/local/share/pubsubd"
#endif

const char datadir[] = DATADIR;
