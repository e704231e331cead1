"""The columns of every table stage of the speech flow: what is written, what a reader may rely on.

``dataset`` has one row a sample. ``transcripts`` has one row for every sample and model, sample by sample in the order
of the dataset, model by model in the order of the specification. ``scores`` has one row for every row of
``transcripts`` and normalisation level, in the same order.
"""

import pyarrow as pa

DATASET = pa.schema(
    [
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("audio_sha256", pa.string(), nullable=False),
        pa.field("audio_key", pa.string(), nullable=False),  # of the clip in the object store
        pa.field("mime_type", pa.string(), nullable=False),
        pa.field("format", pa.string(), nullable=False),
        pa.field("size_bytes", pa.int64(), nullable=False),
        pa.field("duration_s", pa.float64()),
        pa.field("sample_rate_hz", pa.int64()),
        pa.field("channels", pa.int64()),
        pa.field("reference", pa.string()),  # null: unlabelled; blank: nothing should be heard
        pa.field("language", pa.string()),  # BCP-47
        pa.field("file_name", pa.string(), nullable=False),
        pa.field("metadata", pa.string(), nullable=False),  # JSON object of the other columns
    ]
)

TRANSCRIPTS = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("model", pa.string(), nullable=False),  # as it was asked for
        pa.field("provider", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),  # completed | failed
        pa.field("outcome", pa.string(), nullable=False),  # ok, empty, incomplete, refused, missing, failed
        pa.field("transcript", pa.string()),  # cleaned; "" where the model heard nothing; null unless completed
        pa.field("raw_text", pa.string()),  # what the model said, also where it was cut
        pa.field("cleaned", pa.list_(pa.string()), nullable=False),  # what was taken off the raw text
        pa.field("error_code", pa.string()),
        pa.field("error_type", pa.string()),
        pa.field("error_message", pa.string()),
        pa.field("error_transient", pa.bool_()),
        pa.field("response_id", pa.string()),
        pa.field("returned_model", pa.string()),
        pa.field("input_tokens", pa.int64()),
        pa.field("audio_input_tokens", pa.int64()),
        pa.field("cached_input_tokens", pa.int64()),
        pa.field("output_tokens", pa.int64()),
        pa.field("reasoning_tokens", pa.int64()),
        pa.field("total_tokens", pa.int64()),
        pa.field("retried_input_tokens", pa.int64(), nullable=False),
        pa.field("retried_output_tokens", pa.int64(), nullable=False),
        pa.field("latency_s", pa.float64()),
        pa.field("attempts", pa.int32(), nullable=False),
        pa.field("cost_usd", pa.decimal128(38, 18)),  # this item with its retries; null: no published price
        pa.field("endpoint", pa.string()),  # the address that answered; null: nobody did, or an earlier version asked
    ]
)

SCORES = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("model", pa.string(), nullable=False),
        pa.field("level", pa.string(), nullable=False),  # verbatim | standard | lenient
        pa.field("unscored_reason", pa.string()),  # no_reference, reference_not_understood, reference_damaged, failed
        pa.field("hits", pa.int64()),  # of words; null where the row is not scored
        pa.field("substitutions", pa.int64()),
        pa.field("deletions", pa.int64()),
        pa.field("insertions", pa.int64()),
        pa.field("reference_words", pa.int64()),  # known wherever there is a reference, also of a failed row
        pa.field("character_hits", pa.int64()),
        pa.field("character_substitutions", pa.int64()),
        pa.field("character_deletions", pa.int64()),
        pa.field("character_insertions", pa.int64()),
        pa.field("reference_characters", pa.int64()),
        pa.field("wer", pa.float64()),  # null for a reference without words
        pa.field("cer", pa.float64()),
        pa.field("wip", pa.float64()),
        pa.field("mer", pa.float64()),
        pa.field("insertions_on_silence", pa.int64()),  # words heard where nothing should be; else null
        pa.field("exact_match", pa.bool_()),
        pa.field("flags", pa.list_(pa.string()), nullable=False),  # names of Flag
    ]
)
