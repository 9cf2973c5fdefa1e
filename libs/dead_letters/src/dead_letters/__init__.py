"""Bad events into the dead-letter queue, whole and of any size; the same for every service.

letters   pure: an event to a message that SQS takes, what goes to S3, which messages make a call, which came back
sink      `DeadLetters`: the asynchronous sink; a synchronous one is a few lines over `letters` (the detector's)
patience  how long the sink keeps trying
errors    what the sink raises; which errors of AWS may pass

`letters` needs neither an SDK nor asyncio; the rest needs the extra ``dead_letters[aio]``.
"""
