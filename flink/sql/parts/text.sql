DECODE(payload, 'UTF-8')
