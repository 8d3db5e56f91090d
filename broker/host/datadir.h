/* SPDX-License-Identifier: MIT */
/* datadir.h - where `make install' puts what is not a program. */

#ifndef BROKER_HOST_DATADIR_H
#define BROKER_HOST_DATADIR_H

/* An absolute path without a slash behind; static.  public/ is in it. */
extern const char datadir[];

#endif
