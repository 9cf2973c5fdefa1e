'[{"record":' || {text} || '},0]'
