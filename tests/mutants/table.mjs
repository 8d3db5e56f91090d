// table.mjs - the checks that mutants.mjs takes out, each with the tests that
// should notice.

const jwt = ["common/test_jwt"];
const jwk = ["common/test_jwk"];
const base64url = ["common/test_base64url"];

/** [old, without]: pieces of one file, each of which is there once. */
const of = (file, tests, pieces) => pieces.map(([old, without]) => ({ file, tests, old, without }));

export const mutants = [
  ...of("common/base64url.c", base64url, [
    ["if (len % 4 == 1)", "if (0)"],
    ["if (value == -1)", "if (0)"],
    ["(held & ((1u << bits) - 1)) == 0", "1"],
  ]),
  ...of("common/jose_object.c", jwt, [
    ["if (!utf8_valid(text, len))", "if (0)"],
    ["if (!jose_is_new(object, member))", "if (0)"],
    ["object->count == JOSE_MEMBERS_MAX", "object->count == 65"],
    ["!jose_is_whole(value)", "0"],
    ["memchr(text, '\\0', *out_len) != NULL", "0"],
    ["*out_len > max", "*out_len > max + 1"],
  ]),
  ...of("common/jwt.c", jwt, [
    ["if (len > JWT_MAX)", "if (0)"],
    ["status = jwt_check_signature(claims->key, &parts, &header);", ""],
    ["claims->key = jwt_key_for(keys, &header);", "claims->key = jwt_key_for(keys, &header); if (claims->key == NULL) claims->key = keys->keys[0];"],
    ["return JWT_BAD_SIGNATURE;", "return JWT_OK;"],
    ['jose_object_find(object, "crit") != NULL', "0"],
    ["(typ != NULL && !jwt_typ_is_fine(typ))", "0"],
    ["if (header->alg == 0)\n\t\treturn JWT_BAD_HEADER;", "if (header->alg == 0) header->alg = JWK_HS256;"],
    ["if (len > JWT_HEADER_MAX)", "if (0)"],
    ["if (!header->has_kid)\n\t\treturn true;", "return true;"],
    ["key->kid_len == header->kid_len", "1"],
    ["memcmp(key->kid, header->kid, key->kid_len) == 0", "1"],
    ["if (found != NULL)\n\t\t\treturn NULL;", ""],
    ["(key->algs & header->alg) == 0", "0"],
  ]),
  ...of("common/jwt_claims.c", jwt, [
    ["if (*date > JWT_DATE_MAX)", "if (0)"],
    ["return p == end;", "return true;"],
    ["if (now >= claims->exp + leeway)", "if (0)"],
    ["now >= claims->exp + leeway", "now > claims->exp + leeway"],
    ["now >= claims->exp + leeway", "now >= claims->exp"],
    ["exp == NULL || !jwt_date(exp, &claims->exp)", "exp == NULL"],
    ["now + leeway < from", "0"],
    ["now + leeway < from", "now < from"],
    ["policy->aud_count > 0 ? JWT_WRONG_AUDIENCE : JWT_OK;\n\tif (aud->kind", "JWT_OK;\n\tif (aud->kind"],
    ["found ? JWT_OK : JWT_WRONG_AUDIENCE", "JWT_OK"],
    ["if (!strings)", "if (0)"],
    ["iss != NULL && iss->kind != JSON_STRING", "0"],
    ["jose_string_is(iss, policy->iss)", "1"],
    ["!jwt_is_plain(claims->sub, claims->sub_len)", "0"],
    ["text[i] == 0x7f", "0"],
    ["info->raw_len > JWT_INFO_MAX", "0"],
    ["!json_within_depth(\n\t\t\tinfo->raw, info->raw_len, JWT_INFO_DEPTH)", "0"],
    ["grants->kind != JSON_OBJECT", "0"],
  ]),
  ...of("common/jwt_signature.c", jwt, [
    ["signature_len == JWT_HMAC_LEN", "1"],
    ["CRYPTO_memcmp(mac, signature, JWT_HMAC_LEN) == 0", "1"],
    ["== 1;\n\tEVP_MD_CTX_free", ">= 0;\n\tEVP_MD_CTX_free"],
    ["signature_len == JWT_ES256_LEN", "1"],
    ["if (alg != JWK_PS256)", "if (1)"],
  ]),
  ...of("common/jwk.c", jwk, [
    ["k.len < JWK_SECRET_MIN", "0"],
    ['if (jose_object_find(jwk, "d") != NULL)', "if (0)"],
    ["bits < JWK_RSA_MIN", "0"],
    ["jwk_is_small_order(key) ? JWK_OTHER : JWK_OKP", "JWK_OKP"],
    ['strcmp(group, "prime256v1") != 0', "0"],
    ["x.len == JWK_P256_LEN", "1"],
    ["y.len == JWK_P256_LEN", "1"],
  ]),
  ...of("common/jwk_thumbprint.c", jwk, [
    ["JWK_P256_LEN))\n\t\t\treturn false;", "0)) return false;"],
  ]),
  ...of("common/jwk_use.c", jwk, [
    ['if (use != NULL && !jose_string_is(use, "sig"))', "if (0)"],
    ["ops != NULL && !jwk_use_lists(ops, operation, &good)", "0"],
    ["*good = *good && op.kind == JSON_STRING;", ""],
  ]),
  ...of("common/jwk_set.c", jwk, [
    ["set->count == JWK_KEYS_MAX", "set->count == 1000"],
    ["jwk_kid_is_taken(set, key)", "0"],
    ["(set->keys[i]->algs & alg) != 0", "1"],
    ["sha256_equal(set->keys[i]->thumbprint, thumbprint)", "1"],
    ['strstr(name, "PRIVATE KEY") != NULL', "0"],
    ['strcmp(name, "PUBLIC KEY") != 0', "0"],
    ["if (!good)\n\t\tjwk_set_cut(set, before);", ""],
    ["if (kind == JWK_OTHER) {", "if (0) {"],
  ]),
];
