'[{"record":' || DECODE(payload, 'UTF-8') || '},0]'
