/* SPDX-License-Identifier: MIT */
/*
 * no_fence.h - put in front of a source file of the product, takes its fences
 * out: the compiler keeps the order, the processor need not.  Only for litmus.c,
 * which shows what is lost then.
 */

#ifndef TESTS_MODEL_NO_FENCE_H
#define TESTS_MODEL_NO_FENCE_H

#include <stdatomic.h>

#undef atomic_thread_fence
#define atomic_thread_fence(order) atomic_signal_fence(order)

#endif
