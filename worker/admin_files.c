/* SPDX-License-Identifier: MIT */
/* admin_files.c - see admin_files.h; the Makefile knows that this depends on
 * them. */

#include "worker/admin_files.h"

/* A file, behind a label. */
#define ADMIN_FILE(label, file)                       \
	__asm__(".pushsection .rodata\n"              \
		".globl " #label "\n" #label ":\n"    \
		".incbin \"worker/pages/" file "\"\n" \
		".byte 0\n"                           \
		".popsection\n")

ADMIN_FILE(admin_html, "operator.html");
ADMIN_FILE(admin_js, "operator.js");
ADMIN_FILE(admin_css, "operator.css");
