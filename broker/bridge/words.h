/* SPDX-License-Identifier: MIT */
/* words.h - what `pubsubd cluster' does: init, status, check. */

#ifndef BROKER_BRIDGE_WORDS_H
#define BROKER_BRIDGE_WORDS_H

#include "broker/bridge/link.h"

/* Do what the word says.  Returns the exit status: 0, 1 with a reason on standard
 * error, or 2 for a word that is none. */
int words_run(const char *word, const struct link_options *options);

#endif
