#!/bin/sh
# The AWS CLI given as the first argument as a client: one signed call for every line on stdin, one line on stdout for each.
error=$(mktemp)
trap 'rm -f "$error"' EXIT
while read -r _; do
    if arn=$("$1" sts get-caller-identity --query Arn --output text 2>"$error"); then
        echo "ok $arn"
    else
        echo "error $(tr '\n' ' ' <"$error")"
    fi
done
