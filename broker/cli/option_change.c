/* SPDX-License-Identifier: MIT */
/* option_change.c - see option_change.h. */

#include "broker/cli/option_change.h"

#include "common/bug.h"

const char *
option_change_word(enum option_change change)
{
	switch (change) {
	case OPTION_RELOAD:
		return "reload";
	case OPTION_UPGRADE:
		return "upgrade";
	case OPTION_RESTART:
		return "restart";
	case OPTION_START:
		return "stop+start";
	}
	BUG("an option that nothing changes");
}
