/* SPDX-License-Identifier: MIT */
/* api_answer.c - see api_answer.h. */

#include "worker/api_answer.h"

void
api_answer(struct worker *w, const struct intake_op *op)
{
	(void)w;
	(void)op;
}
