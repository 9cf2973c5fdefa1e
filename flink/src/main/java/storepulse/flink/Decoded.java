package storepulse.flink;

/** What a record says, as far as it counts. */
public final class Decoded {
  /** Is before all times: that of a record which is no event. */
  public static final long NEVER = -62_135_683_200_000L; // 0000-12-31T00:00:00Z

  public String user; // null for a heartbeat
  public long time = NEVER; // txn_timestamp, in milliseconds since the epoch
  public String failure; // a kind of bad event; null for an event
  public String reason;

  // what the decoder has read of it
  String instant;
  boolean named; // a user, whatever is given for one
  String price;
  boolean priceIsText;
  long shift;
  int beats; // how often an event type was given
  boolean onlyBeats = true; // each was a heartbeat, and all else fits one
  String refused; // why it is no action

  /** Notes the first reason why it is no action. */
  void misses(String reason) {
    if (refused == null) {
      refused = reason;
    }
  }

  Decoded refuse(String failure, String reason) {
    this.failure = failure;
    this.reason = reason;
    this.user = null;
    this.time = NEVER;
    return this;
  }
}
