#!/usr/bin/env bash
# Makes the golden signatures with openssl, which shares no code with this library:
# bash testdata/signatures/make.sh > testdata/signatures/golden.tsv
# Columns: name, secret, method, endpoint, body, signature; the middle four in
# hex, because they may hold line ends and bytes that are not text.
set -euo pipefail

hex() { od -An -v -tx1 | tr -d ' \n'; }
raw() { printf '%b' "$(sed 's/../\\x&/g' <<<"$1")"; }

# golden NAME SECRET METHOD ENDPOINT BODY prints a row. Secret and body may hold printf
# escapes. The signed text has the method in upper case and the endpoint in lower case.
golden() {
  local secret method endpoint body upper lower
  secret=$(printf '%b' "$2" | hex)
  method=$(printf '%s' "$3" | hex)
  endpoint=$(printf '%s' "$4" | hex)
  body=$(printf '%b' "$5" | hex)
  upper=$(tr '[:lower:]' '[:upper:]' <<<"$3")
  lower=$(tr '[:upper:]' '[:lower:]' <<<"$4")
  printf '%s\t%s\t%s\t%s\t%s\t' "$1" "$secret" "$method" "$endpoint" "$body"
  { printf '%s\n%s\n' "$upper" "$lower"; raw "$body"; } |
    openssl dgst -sha256 -mac HMAC -macopt "hexkey:$secret" -binary | base64 -w0
  echo
}

golden published 'secret' POST /v1/sessions '{"userId": "user", "device":"device", "system":"system"}'
golden no-body 'secret' POST /v1/score ''
golden compact 's3cr3t' POST /v1/score '{"session":"abc"}'
golden newline-at-the-end 's3cr3t' POST /v1/score '{"session":"abc"}\n'
golden carriage-returns 's3cr3t' POST /v1/score '{\r\n"session":"abc"\r\n}'
golden lower-case-method 's3cr3t' post /v1/score '{"session":"abc"}'
golden mixed-case-endpoint 's3cr3t' POST /V1/Face/Auth '{"session":"abc"}'
golden unicode 's3cr3t' POST /v1/sessions '{"userId":"Zo\xc3\xab \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x94\x91"}'
golden bytes-that-are-no-text 's3cr3t' POST /v1/face/auth '\x00\x01\xff\xfe\x80'
golden space-around-secret ' s3cr3t ' POST /v1/score '{"session":"abc"}'
golden unicode-secret 'gr\xc3\xbc\xc3\x9fe' POST /v1/score '{"session":"abc"}'
golden one-byte-secret 'x' POST /v1/score '{"session":"abc"}'
golden secret-of-a-block '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef' POST /v1/score '{"session":"abc"}'
golden secret-over-a-block '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefX' POST /v1/score '{"session":"abc"}'
golden long-body 's3cr3t' POST /v1/voice/enroll "{\"session\":\"abc\",\"voices\":[\"$(printf 'QUJD%.0s' {1..700})\"]}"
