/* SPDX-License-Identifier: GPL-3.0-or-later
 * Only what may be called in the child of a process: no memory is asked for. */
#include "agent/child.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

int child_set_up(int out_fd, int error_fd)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t none;

    (void)setpgid(0, 0);
    /* also what was ignored where the agent was started (nohup, a background job): a command that
     * cannot be interrupted would surprise its author */
    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &standard, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(out_fd, STDOUT_FILENO) < 0 ||
        dup2(error_fd, STDERR_FILENO) < 0)
        return -1;
    (void)close_range(STDERR_FILENO + 1, ~0U, 0); /* connections are none of its business */
    return 0;
}
