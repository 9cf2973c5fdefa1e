package storepulse.flink;

import org.apache.flink.api.common.eventtime.TimestampAssigner;
import org.apache.flink.api.common.eventtime.TimestampAssignerSupplier;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;

/**
 * Another strategy's watermarks, each put back to the last at which a window of so many milliseconds fires.
 *
 * <p>What lies between decides nothing: a window fires, and a record is late, when the watermark comes to a window's last
 * millisecond. So the job sends one watermark a window on, not one a record.
 */
@SuppressWarnings({"rawtypes", "unchecked"})
final class SteppedWatermarks implements WatermarkStrategy {
  private static final long serialVersionUID = 1;

  private final WatermarkStrategy strategy;
  private final long step;

  SteppedWatermarks(WatermarkStrategy strategy, long step) {
    this.strategy = strategy;
    this.step = step;
  }

  @Override
  public WatermarkGenerator createWatermarkGenerator(WatermarkGeneratorSupplier.Context context) {
    return new Generator(strategy.createWatermarkGenerator(context), step);
  }

  @Override
  public TimestampAssigner createTimestampAssigner(TimestampAssignerSupplier.Context context) {
    return strategy.createTimestampAssigner(context);
  }

  /** Gives the other generator itself for an output, and the steps to the true one. */
  private static final class Generator implements WatermarkGenerator, WatermarkOutput {
    private final WatermarkGenerator generator;
    private final long step;
    private WatermarkOutput output;

    Generator(WatermarkGenerator generator, long step) {
      this.generator = generator;
      this.step = step;
    }

    @Override
    public void onEvent(Object event, long timestamp, WatermarkOutput to) {
      output = to;
      generator.onEvent(event, timestamp, this);
    }

    @Override
    public void onPeriodicEmit(WatermarkOutput to) {
      output = to;
      generator.onPeriodicEmit(this);
    }

    @Override
    public void emitWatermark(Watermark mark) {
      long passed = Math.floorDiv(mark.getTimestamp() + 1, step) * step - 1;
      output.emitWatermark(new Watermark(passed)); // the same again, too: it says that the shard is not idle
    }

    @Override
    public void markIdle() {
      output.markIdle();
    }

    @Override
    public void markActive() {
      output.markActive();
    }
  }
}
