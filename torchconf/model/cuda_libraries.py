"""The packages with CUDA's libraries, which torch's wheels for Linux require by themselves."""

from __future__ import annotations

CUDA_LIBRARY = (
    r"nvidia-(cublas|cuda-cupti|cuda-nvrtc|cuda-runtime|cudnn|cufft|cufile|curand|cusolver|cusparse"
    r"|cusparselt|nccl|nvjitlink|nvshmem|nvtx)(-cu[0-9]+)?|cuda-toolkit"
)
"""Regular expression of a canonical name; its second group is the major of a label, `-cu12`."""
