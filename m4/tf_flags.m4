# SPDX-License-Identifier: GPL-3.0-or-later
# Compiler and linker flags are tried one by one; those the tool does not know are left out.

# TF_CHECK_CFLAGS(VARIABLE, FLAGS)
AC_DEFUN([TF_CHECK_CFLAGS], [
    $1=
    for tf_flag in m4_normalize([$2]); do
        AC_MSG_CHECKING([whether $CC takes $tf_flag])
        tf_saved="$CFLAGS"
        CFLAGS="$CFLAGS -Werror $tf_flag"
        AC_COMPILE_IFELSE([AC_LANG_SOURCE([int main(void) { return 0; }])],
            [AC_MSG_RESULT([yes]); $1="$$1 $tf_flag"], [AC_MSG_RESULT([no])])
        CFLAGS="$tf_saved"
    done
    AC_SUBST([$1])
])

# TF_CHECK_LDFLAGS(VARIABLE, FLAGS)
AC_DEFUN([TF_CHECK_LDFLAGS], [
    $1=
    for tf_flag in m4_normalize([$2]); do
        AC_MSG_CHECKING([whether the linker takes $tf_flag])
        tf_saved="$LDFLAGS"
        LDFLAGS="$LDFLAGS $tf_flag"
        AC_LINK_IFELSE([AC_LANG_SOURCE([int main(void) { return 0; }])],
            [AC_MSG_RESULT([yes]); $1="$$1 $tf_flag"], [AC_MSG_RESULT([no])])
        LDFLAGS="$tf_saved"
    done
    AC_SUBST([$1])
])

AC_DEFUN([TF_ENABLE_WERROR], [
    AC_ARG_ENABLE([werror],
        [AS_HELP_STRING([--enable-werror], [treat warnings as errors (developers and CI)])])
    AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
])

# --enable-sanitizers: address and undefined; --enable-sanitizers=thread: thread
AC_DEFUN([TF_ENABLE_SANITIZERS], [
    AC_ARG_ENABLE([sanitizers],
        [AS_HELP_STRING([--enable-sanitizers@<:@=thread@:>@],
            [build with address and undefined behaviour sanitizers, or with the thread sanitizer])])
    # the thread sanitizer hides from gcc what a failed call leaves unset
    AS_CASE([$enable_sanitizers],
        [""|no], [SANITIZE_FLAGS=],
        [thread], [SANITIZE_FLAGS="-fsanitize=thread -fno-omit-frame-pointer -Wno-maybe-uninitialized"],
        [yes|address], [SANITIZE_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"],
        [AC_MSG_ERROR([--enable-sanitizers takes yes, address or thread, not $enable_sanitizers])])
    AC_ARG_ENABLE([fuzzing],
        [AS_HELP_STRING([--enable-fuzzing], [instrument for the fuzz targets; needs CC=clang])])
    AS_IF([test "x$enable_fuzzing" = xyes],
        [SANITIZE_FLAGS="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"])
    # _FORTIFY_SOURCE hides reads and writes from the sanitizers
    AS_IF([test -z "$SANITIZE_FLAGS"],
        [AC_MSG_CHECKING([whether _FORTIFY_SOURCE can be set])
         tf_saved="$CFLAGS"; CFLAGS="-O2 -Werror -D_FORTIFY_SOURCE=2"
         AC_COMPILE_IFELSE([AC_LANG_SOURCE([[#include <stdio.h>
            int main(void) { return 0; }]])],
            [AC_MSG_RESULT([yes]); FORTIFY_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"], [AC_MSG_RESULT([no])])
         CFLAGS="$tf_saved"])
    AC_SUBST([SANITIZE_FLAGS])
    AC_SUBST([FORTIFY_CPPFLAGS])
])
