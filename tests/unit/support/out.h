/* SPDX-License-Identifier: MIT */
/* out.h - a buffer for what a test writes, to be read again. */

#ifndef UNIT_OUT_H
#define UNIT_OUT_H

#include "common/buf.h"

extern struct buf out;

/* For cmocka_unit_test_setup_teardown(): begin with nothing in it. */
int out_setup(void **state);
int out_teardown(void **state);

#endif
