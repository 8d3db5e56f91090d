/* SPDX-License-Identifier: MIT */
/* settings_topic.h - the sections of the configuration file that are about topics;
 * for settings_file.c. */

#ifndef BROKER_CLI_SETTINGS_TOPIC_H
#define BROKER_CLI_SETTINGS_TOPIC_H

#include "broker/cli/cli.h"
#include "broker/cli/conf.h"

#include <stdbool.h>

/* Begin with what stands between brackets.  Returns false with a reason: there
 * is no such section, or not here. */
bool settings_begin_section(
    struct cli *cli, const struct conf_line *line, char why[CLI_ERROR_MAX]);

/* Apply a setting of the section that was begun last.  Returns false with a
 * reason. */
bool settings_apply_in_section(
    struct cli *cli, const struct conf_line *line, char why[CLI_ERROR_MAX]);

#endif
