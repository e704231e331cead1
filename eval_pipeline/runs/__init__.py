"""The life of every run, whatever its flow, without Dagster: claimed, worked on, waited for, told."""
