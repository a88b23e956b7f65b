#!/bin/sh
# quote.sh FILE...: the text of the files as one C string.
cat "$@" | sed 's/["\\]/\\&/g; s/.*/"&\\n"/'
