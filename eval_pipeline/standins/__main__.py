"""``python -m eval_pipeline.standins``."""

import sys

from eval_pipeline.standins.main import main

if __name__ == "__main__":
    sys.exit(main())
