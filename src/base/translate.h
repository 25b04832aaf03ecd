/* SPDX-License-Identifier: Apache-2.0 */
/* Messages in the user's language: see docs/translating.md. */
#ifndef AFN_BASE_TRANSLATE_H
#define AFN_BASE_TRANSLATE_H

/* The text in the language of the program's locale; itself where there is no
 * translation.  Lives as long as the program.  afn_fail() and its relatives call it:
 * others need it for words that become an argument alone.
 * Threads    any number at once */
const char *afn_translated(const char *text) __attribute__((format_arg(1)));

#endif
