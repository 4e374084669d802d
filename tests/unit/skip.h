/* SPDX-License-Identifier: BSD-2-Clause */
/* A test that cannot be done here says why: tests/run-units shows it. Include it after <cmocka.h>.
 */
#ifndef KVMSCHED_TESTS_SKIP_H
#define KVMSCHED_TESTS_SKIP_H

#define skip_test(why)                            \
	do {                                      \
		print_message("skip: %s\n", why); \
		skip();                           \
	} while (0)

#endif
