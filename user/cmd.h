/* SPDX-License-Identifier: BSD-2-Clause */
/* The subcommands: argv[0] is the command's name; each returns the exit status (err.h). */
#ifndef KVMSCHED_CMD_H
#define KVMSCHED_CMD_H

int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_timehist(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_timeline(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_hist(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_info(int argc, char **argv);

#endif
