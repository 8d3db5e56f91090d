/* SPDX-License-Identifier: MIT */
/*
 * admin_files.h - the files of the operator's page, in the program itself: they
 * are there whatever --root is, and the sandbox forbids to open others.
 *
 * They lie in worker/pages/.
 */

#ifndef WORKER_ADMIN_FILES_H
#define WORKER_ADMIN_FILES_H

extern const char admin_html[], admin_html_end[];
extern const char admin_js[], admin_js_end[];
extern const char admin_css[], admin_css_end[];

#endif
