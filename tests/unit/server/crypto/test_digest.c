/* SPDX-License-Identifier: GPL-3.0-or-later
 * SHA-256 against the examples of FIPS 180-4. */
#include "server/crypto/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *text, const char *expected)
{
    unsigned char hash[DIGEST_SIZE];
    char hex[DIGEST_HEX_SIZE];

    digest_of(text, strlen(text), hash);
    digest_hex(hash, hex);
    assert_string_equal(hex, expected);
}

static void known_texts_have_their_known_hash(void **state)
{
    (void)state;
    check("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void pieces_give_the_hash_of_the_whole(void **state)
{
    unsigned char whole[DIGEST_SIZE], pieces[DIGEST_SIZE];
    struct digest digest, copy;
    char text[1000];

    (void)state;
    memset(text, 'x', sizeof(text));
    digest_of(text, sizeof(text), whole);
    digest_init(&digest);
    digest_add(&digest, NULL, 0);
    digest_add(&digest, text, 63);
    copy = digest;
    digest_add(&copy, text, sizeof(text) - 63);
    digest_finish(&copy, pieces);
    assert_memory_equal(whole, pieces, DIGEST_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_have_their_known_hash),
        cmocka_unit_test(pieces_give_the_hash_of_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
