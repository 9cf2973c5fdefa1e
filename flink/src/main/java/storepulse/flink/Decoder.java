package storepulse.flink;

import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.regex.Pattern;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactoryBuilder;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.StreamReadConstraints;

/**
 * A record's bytes to who acted and when, or to why they are no event: the rules of storepulse.activity, each record once.
 *
 * <p>Fields are judged in the order of the bytes, each occurrence of a name, as storepulse.activity.actions does. The parity
 * suite holds the two together. This and what it is compiled with for the tests use no lambdas and no type parameters, which
 * the compiler there does not know (see flink/compile.py).
 */
public final class Decoder implements Serializable {
  private static final long serialVersionUID = 1;

  static final int MAX_BYTES = 1024 * 1024;
  static final int MAX_DEPTH = 500;
  static final int MAX_USER_UNITS = 256; // UTF-16 code units
  static final long MAX_SHIFT = 1L << 53;
  static final double PRICE_BELOW = 1e13;
  private static final Pattern PRICE = Pattern.compile("(0|[1-9][0-9]{0,12})(\\.[0-9]{1,12})?");
  private static final Pattern NUMBER =
      Pattern.compile("[ \\t\\r\\n]*+-?(0|[1-9][0-9]*+)(\\.[0-9]++)?+([eE][+-]?[0-9]++)?+(?![0-9.eE])");
  private static final String INSTANT = "0000-00-00T00:00:00.000Z"; // 0 stands for any digit

  private static final JsonFactory JSON =
      new JsonFactoryBuilder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH + 1)
                  .maxNameLength(MAX_BYTES)
                  .maxNumberLength(MAX_BYTES)
                  .maxStringLength(MAX_BYTES)
                  .build())
          .configure(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES, false)
          .configure(JsonFactory.Feature.INTERN_FIELD_NAMES, false)
          .build();

  private final long maxAhead;
  private final long maxReplayAhead;

  /** Takes by how many milliseconds a record may be ahead of its arrival, and a replay's that says so of itself. */
  public Decoder(long maxAhead, long maxReplayAhead) {
    this.maxAhead = maxAhead;
    this.maxReplayAhead = maxReplayAhead;
  }

  /** Decodes `payload`, which came to the stream at `arrival` (milliseconds since the epoch); never throws. */
  public Decoded decode(byte[] payload, long arrival) {
    Decoded decoded = new Decoded();
    if (payload.length > MAX_BYTES) {
      return decoded.refuse("too_large", "an event has 1,048,576 bytes at most");
    }
    String text = new String(payload, StandardCharsets.UTF_8);
    if (text.indexOf('\uFFFD') >= 0 && !Arrays.equals(text.getBytes(StandardCharsets.UTF_8), payload)) {
      return decoded.refuse("malformed", "not UTF-8");
    }
    if (payload.length > MAX_DEPTH && isDeep(payload)) {
      return decoded.refuse("malformed", "nested too deeply");
    }
    try {
      JsonParser parser = JSON.createParser(text);
      try {
        read(parser, text.indexOf("\\u") >= 0, decoded);
      } finally {
        parser.close();
      }
    } catch (IOException notJson) {
      if (decoded.refused == null && NUMBER.matcher(text).lookingAt()) {
        decoded.misses("not an object"); // Jackson looks behind a number before it gives it
      }
      return decoded.refused == null
          ? decoded.refuse("malformed", "not JSON")
          : decoded.refuse("invalid", decoded.refused);
    }
    String refusal = judge(decoded, arrival);
    return refusal == null ? decoded : decoded.refuse("invalid", refusal);
  }

  private static void read(JsonParser parser, boolean escaped, Decoded decoded) throws IOException {
    JsonToken token = parser.nextToken();
    if (token == null) {
      throw new IOException();
    }
    if (token != JsonToken.START_OBJECT) {
      decoded.misses("not an object");
      return;
    }
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      token = parser.nextToken();
      parser.finishToken();
      if (escaped) {
        checkPairs(name);
        if (token == JsonToken.VALUE_STRING) {
          checkPairs(parser.getText());
        }
      }
      field(name, token, parser, decoded);
      skip(parser, token, escaped);
    }
    if (decoded.instant == null) {
      decoded.misses("txn_timestamp: missing");
      decoded.onlyBeats = false;
    }
    if (parser.nextToken() != null) {
      throw new IOException();
    }
  }

  private static void field(String name, JsonToken token, JsonParser parser, Decoded decoded) throws IOException {
    boolean isText = token == JsonToken.VALUE_STRING;
    if (name.equals("txn_timestamp")) {
      if (isText) {
        decoded.instant = parser.getText();
      } else {
        decoded.misses("txn_timestamp: not a text");
      }
      decoded.onlyBeats &= isText && hasForm(decoded.instant);
    } else if (name.equals("user_id")) {
      decoded.named = token != JsonToken.VALUE_NULL;
      decoded.user = isText ? parser.getText() : null;
      if (decoded.named && !(isText && hasLength(decoded.user))) {
        decoded.misses("user_id: not a text of 1 to 256 characters");
      }
    } else if (name.equals("event_type")) {
      decoded.beats += 1;
      decoded.onlyBeats &= isText && parser.getText().equals("heartbeat");
    } else if (name.equals("price")) {
      decoded.priceIsText = isText;
      decoded.price = null;
      if (isText || token == JsonToken.VALUE_NUMBER_INT || token == JsonToken.VALUE_NUMBER_FLOAT) {
        decoded.price = parser.getText();
      }
      if (decoded.price == null || !isText && Double.isInfinite(Double.parseDouble(decoded.price))) {
        decoded.misses("price: neither a text nor a number");
      }
    } else if (name.equals("replay_shift_ms")) {
      if (token == JsonToken.VALUE_NULL) {
        decoded.shift = 0;
      } else if (token != JsonToken.VALUE_NUMBER_INT || !shift(parser.getText(), decoded)) {
        decoded.misses("replay_shift_ms: not an integer from -2**53 to 2**53");
        decoded.onlyBeats = false;
      }
    }
  }

  private static boolean shift(String number, Decoded decoded) {
    decoded.shift = number.length() <= 17 ? Long.parseLong(number) : Long.MAX_VALUE;
    return Math.abs(decoded.shift) <= MAX_SHIFT;
  }

  private static void skip(JsonParser parser, JsonToken first, boolean escaped) throws IOException {
    int depth = first == JsonToken.START_OBJECT || first == JsonToken.START_ARRAY ? 1 : 0;
    while (depth > 0) {
      JsonToken token = parser.nextToken();
      if (token == null) {
        throw new IOException();
      } else if (token == JsonToken.START_OBJECT || token == JsonToken.START_ARRAY) {
        depth += 1;
      } else if (token == JsonToken.END_OBJECT || token == JsonToken.END_ARRAY) {
        depth -= 1;
      } else if (escaped && (token == JsonToken.FIELD_NAME || token == JsonToken.VALUE_STRING)) {
        checkPairs(parser.getText());
      }
    }
  }

  /** Sets the time of an event, and returns why it is none; NULL when it is one. */
  private String judge(Decoded decoded, long arrival) {
    if (decoded.named || decoded.beats == 0 || !decoded.onlyBeats) {
      if (decoded.refused != null) {
        return decoded.refused;
      } else if (!decoded.named) {
        return "user_id: missing";
      } else if (isBlank(decoded.user)) {
        return "user_id: white space alone";
      } else if (decoded.user.length() > MAX_USER_UNITS) {
        return "user_id: more than 256 UTF-16 code units";
      } else if (decoded.price != null && !isPrice(decoded.price, decoded.priceIsText)) {
        return "price: not a plausible amount";
      }
    }
    decoded.time = milliseconds(decoded.instant);
    if (decoded.time == Decoded.NEVER) {
      return "txn_timestamp: not of the form YYYY-MM-DDTHH:MM:SS.mmmZ, or no such time";
    }
    long allowed = Math.min(maxAhead + Math.max(decoded.shift, 0), maxReplayAhead);
    return decoded.time <= arrival + allowed ? null : "txn_timestamp: too far after the record's arrival";
  }

  static boolean isPrice(String price, boolean isText) {
    if (isText) {
      return PRICE.matcher(price).matches();
    }
    double amount = Double.parseDouble(price);
    return amount >= 0 && amount < PRICE_BELOW;
  }

  private static boolean hasLength(String user) {
    return !user.isEmpty() && user.length() <= 2 * MAX_USER_UNITS && user.codePointCount(0, user.length()) <= 256;
  }

  /** What Python's str.isspace says. */
  static boolean isBlank(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean white =
          c >= 0x09 && c <= 0x0d || c >= 0x1c && c <= 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680
              || c >= 0x2000 && c <= 0x200a || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
      if (!white) {
        return false;
      }
    }
    return true;
  }

  private static boolean hasForm(String text) {
    if (text.length() != INSTANT.length()) {
      return false;
    }
    for (int i = 0; i < INSTANT.length(); i++) {
      char c = text.charAt(i);
      boolean fits = INSTANT.charAt(i) == '0' ? c >= '0' && c <= '9' : c == INSTANT.charAt(i);
      if (!fits) {
        return false;
      }
    }
    return true;
  }

  private static long milliseconds(String text) {
    if (!hasForm(text)) {
      return Decoded.NEVER;
    }
    int year = number(text, 0, 4);
    int hour = number(text, 11, 13);
    int minute = number(text, 14, 16);
    int second = number(text, 17, 19);
    if (year == 0 || hour > 23 || minute > 59 || second > 59) {
      return Decoded.NEVER;
    }
    try {
      long day = LocalDate.of(year, number(text, 5, 7), number(text, 8, 10)).toEpochDay();
      return (((day * 24 + hour) * 60 + minute) * 60 + second) * 1000 + number(text, 20, 23);
    } catch (DateTimeException noSuchDay) {
      return Decoded.NEVER;
    }
  }

  private static int number(String text, int from, int to) {
    int number = 0;
    for (int i = from; i < to; i++) {
      number = 10 * number + text.charAt(i) - '0';
    }
    return number;
  }

  /** Refuses a text with half of a pair of surrogates in it: no UTF-8 can hold that. */
  private static void checkPairs(String text) throws IOException {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        if (i + 1 == text.length() || !Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1))) {
          throw new IOException();
        }
        i++;
      }
    }
  }

  /** Says whether more than MAX_DEPTH lists and objects are open at once, whatever else is wrong with the bytes. */
  private static boolean isDeep(byte[] payload) {
    int depth = 0;
    boolean quoted = false;
    for (int i = 0; i < payload.length; i++) {
      byte b = payload[i];
      if (quoted) {
        if (b == '\\') {
          i++;
        } else if (b == '"') {
          quoted = false;
        }
      } else if (b == '"') {
        quoted = true;
      } else if (b == '[' || b == '{') {
        if (++depth > MAX_DEPTH) {
          return true;
        }
      } else if (b == ']' || b == '}') {
        depth--;
      }
    }
    return false;
  }
}
