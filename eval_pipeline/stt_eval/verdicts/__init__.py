"""What people said of transcripts, as files and as agreement with the error rate."""
