/* SPDX-License-Identifier: MIT */
/*
 * admin_files.h - the files of the operator's page, in the program itself: they
 * are there whatever --root is, and the sandbox forbids to open others.
 *
 * They lie in worker/pages/, and are text, which ends with a NUL here.
 */

#ifndef WORKER_ADMIN_FILES_H
#define WORKER_ADMIN_FILES_H

extern const char admin_html[];
extern const char admin_js[];
extern const char admin_css[];

#endif
