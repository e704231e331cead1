"""Real servers for the whole suite, started when a test first asks for one."""

pytest_plugins = ["eval_pipeline_tests.postgres", "eval_pipeline_tests.s3"]
