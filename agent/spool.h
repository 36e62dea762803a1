/* SPDX-License-Identifier: GPL-3.0-or-later
 * The agent's directories: where jobs run, where outcomes wait for the server, the records of both,
 * and some room kept back on the disk so that an outcome can be written even when a job has filled
 * it.
 *
 * A record makes a job the agent's: it is there before the job's directory and after it.  With the
 * definition it lies in a directory that is the agent's alone: what lies in its own a job can
 * alter. */
#ifndef AGENT_SPOOL_H
#define AGENT_SPOOL_H

#include "agent/record.h"
#include "common/buf.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

struct spool;

/* Makes the directories; refuses to share them with a second agent of the same name, and finishes
 * what an agent that died was making or removing. */
struct spool *spool_new(const char *run_dir, const char *results_dir, const char *agent,
                        struct err *err);
void spool_free(struct spool *spool);

/* Keeps room back again; fails when the disk is full: then no job should be taken. */
int spool_reserve(struct spool *spool, struct err *err);

/* Fails, saying how much, when less than min_free bytes are left on a disk of the agent's. */
int spool_check_room(const struct spool *spool, int64_t min_free, struct err *err);

/* Where the record of the job in this directory is; the caller frees it.  NULL without memory. */
char *spool_record_path(const struct spool *spool, const char *dir);

/* Makes record and directory of a new job (what lies there is removed), on the disk; the caller
 * frees *ret_dir.  An agent that dies in the middle finds the job when it comes back. */
int spool_make(struct spool *spool, const char *job_id, const struct record *record, char **ret_dir,
               struct err *err);
/* Removes a job, directory and record: it is gone at once, as far as spool_next() knows. */
int spool_discard(struct spool *spool, const char *dir, struct err *err);

/* As fs_write_atomic, dir/name; on a full disk the room kept back is used. */
int spool_write(struct spool *spool, const char *dir, const char *name, const char *text,
                struct err *err);

/* The definition of the job in this directory, beside its record. */
int spool_write_definition(struct spool *spool, const char *dir, const char *text, struct err *err);
int spool_read_definition(const struct spool *spool, const char *dir, struct buf *ret,
                          struct err *err);

/* As fs_read, dir/name, for what a job may have made: only a plain file is read. */
int spool_read(const char *dir, const char *name, struct buf *ret, struct err *err);

/* The job's directory, safe on the disk, goes to where outcomes wait.  If that is on another file
 * system it stays where it is, and spool_next() finds it all the same.  One that the job has
 * removed, or that another agent has by now, need not be kept: there is the record. */
int spool_keep(struct spool *spool, const char *dir, struct err *err);
/* The same, but it is not looked at again: the server does not want it. */
int spool_put_aside(struct spool *spool, const char *dir, struct err *err);

/* This directory is in use (NULL: none is): spool_next() does not find it, nor another of the same
 * job. */
void spool_hold(struct spool *spool, const char *dir);

enum spool_kind {
    SPOOL_LEFT, /* by an agent that died */
    SPOOL_OVER, /* only the outcome is to be delivered */
};

/* The first job of this agent after *cursor, in order of name; returns 1 and sets *ret_dir (the
 * caller frees it; an empty one if that of the job is gone) and *ret_record, or 0 if there is none.
 * The cursor is a text of SPOOL_CURSOR_SIZE, "" at first; it is moved on. */
#define SPOOL_CURSOR_SIZE 64
int spool_next(struct spool *spool, enum spool_kind kind, char cursor[static SPOOL_CURSOR_SIZE],
               char **ret_dir, struct record *ret_record);

#endif
