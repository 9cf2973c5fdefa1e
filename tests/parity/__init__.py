"""The pure model, the Faust windower and the Flink job say the same of the same records."""
