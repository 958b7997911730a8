"""The transport runs of a case: the ensemble and the forward run of every window, and the hand-off between them.

Each kind of run has its own directory below `root`, where one model run follows the other by restart: `ensemble` (or `ensemble_1`, …
when the members are split over several runs) and `forward`. What a run was given and what it left behind is noted in the
journal, so that a run that ended well is not done again when its window is.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Sequence

import numpy as np

from mozart_coupling import contract
from mozart_coupling.dates import to_seconds
from mozart_coupling.restart import forget_kept, hand_off
from mozart_coupling.run import Capabilities, ModelSettings, RunRequest, prepare, run
from mozart_coupling.samples import SampleRequest, Samples

from ..config import Settings
from ..fluxes.members import FluxBasis
from ..journal import Journal, array_digest
from ..meteorology import Meteorology
from ..plan import Window
from ..progress import Reporter
