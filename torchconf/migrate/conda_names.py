"""What conda calls differently from PyPI, and what PyPI does not have: tables, as data."""

from __future__ import annotations

import re

__all__ = ["RENAMED", "left_out"]

RENAMED = {
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "pyg": "torch-geometric",
    "pytorch-scatter": "torch-scatter",
    "pytorch-sparse": "torch-sparse",
    "pytorch-cluster": "torch-cluster",
    "pytorch-spline-conv": "torch-spline-conv",
    "ignite": "pytorch-ignite",
    "faiss": "faiss-cpu",
    "faiss-gpu": "faiss-gpu-cu12",
    "dgl-cuda": "dgl",
    "tensorflow-gpu": "tensorflow[and-cuda]",
    "tensorflow-base": "tensorflow",
    "cupy": "cupy-cuda12x",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "py-xgboost-gpu": "xgboost",
    "opencv": "opencv-python",
    "py-opencv": "opencv-python",
    "pysoundfile": "soundfile",
    "python-sounddevice": "sounddevice",
    "python-flatbuffers": "flatbuffers",
    "python-fastjsonschema": "fastjsonschema",
    "pytables": "tables",
    "msgpack-python": "msgpack",
    "python-blosc": "blosc",
    "python-clang": "clang",
    "python-lmdb": "lmdb",
    "python-wget": "wget",
    "python-xxhash": "xxhash",
    "brotli-python": "brotli",
    "dask-core": "dask",
    "pyarrow-core": "pyarrow",
    "matplotlib-base": "matplotlib",
    "seaborn-base": "seaborn",
    "ruamel-yaml": "ruamel.yaml",
    "python-tzdata": "tzdata",
    "python-graphviz": "graphviz",
    "python-build": "build",
    "python-kaleido": "kaleido",
    "pyqt": "pyqt5",
}
"""Conda's name, normalised, and PyPI's. What is in no table here has one name in both places."""

_SYSTEM = "not on PyPI; if the project needs it, install it with the system's package manager"
_COMPILER = "PyPI has no compilers; to build from source, install one on the system"
_LIBRARY = "a system library; wheels include it"
_CUDA = "torch's CUDA builds install CUDA's libraries"
_BLAS = "wheels on PyPI include BLAS"
_PYTHON = "uv installs Python itself"
_CONDA = "uv replaces it"

_LEFT_OUT = {
    _CONDA: "pip conda mamba micromamba conda-build conda-lock anaconda-client",
    _PYTHON: "python-abi pypy cpython python-gil",
    _SYSTEM: (
        "aria2 bash bedtools blender boost boost-cpp cgal colmap curl eigen ffmpeg flac "
        "foldseek gcsfuse gdal geos gh git git-lfs glpk go graphviz hdf5 hhsuite hmmer htop "
        "imagemagick ipopt jq kalign2 kalign3 lame libboost libgl libsndfile maven mesa "
        "mesalib mmseqs2 mpi mpich mysql nano netcdf nodejs nvtop openbabel openh264 openjdk "
        "openmpi p7zip pandoc parallel perl poppler portaudio postgresql proj protoc r r-base "
        "rclone redis-server rsync ruby rust samtools sox sqlite suitesparse svt-av1 "
        "tesseract texlive-core tmux tree unzip vim wget x264 x265 xvfb yarn zip"
    ),
    _COMPILER: (
        "autoconf automake binutils bison c-compiler ccache clang clangxx compilers cuda-cccl "
        "cuda-compiler cuda-cudart-dev cuda-driver-dev cuda-libraries-dev cuda-nvcc "
        "cudatoolkit-dev cxx-compiler flex fortran-compiler gcc gdb gfortran gxx "
        "kernel-headers-linux-64 ld-impl-linux-64 libtool lld llvm m4 make nasm "
        "pkg-config pkgconfig yasm"
    ),
    _CUDA: (
        "cuda cuda-command-line-tools cuda-cudart cuda-cupti cuda-driver cuda-libraries "
        "cuda-nvrtc cuda-nvtx cuda-opencl cuda-runtime cuda-toolkit cuda-tools cuda-version "
        "cudatoolkit cudnn cusparselt cutensor magma magma-cuda nccl nvidia-cuda-toolkit "
        "nvidia-driver pytorch-cuda pytorch-mutex torchtriton"
    ),
    _BLAS: (
        "blas blas-devel intel-openmp libblas libcblas liblapack liblapacke llvm-openmp mkl "
        "mkl-devel mkl-fft mkl-include mkl-random mkl-service mkl-static nomkl numpy-base "
        "openblas tbb tbb4py"
    ),
    _LIBRARY: (
        "abseil-cpp alsa-lib aom arrow-cpp at-spi2-atk at-spi2-core atk aws-sdk-cpp blosc "
        "brotli brotli-bin bzip2 c-ares c-blosc2 ca-certificates cairo charls dav1d dbus "
        "double-conversion expat fftw fmt fontconfig freetype gdk-pixbuf gettext gflags "
        "giflib glib glib-tools glog gmp gnutls graphite2 grpc-cpp gst-plugins-base gstreamer "
        "gtk2 gtk3 harfbuzz icu imath intel-gmmlib jasper jpeg jxrlib keyutils krb5 lcms2 "
        "lerc lz4-c lzo mpc mpfr ncurses nettle nghttp2 nlohmann-json nspr nss numactl "
        "ocl-icd openexr openjpeg openssl orc pango parquet-cpp pcre pcre2 pixman "
        "pthread-stubs pulseaudio qt qt-main qt-webengine rapidjson rdma-core re2 readline "
        "s2n sip snappy spdlog sysroot-linux-64 thrift-cpp tk tzdata ucx utf8proc xz yaml "
        "zeromq zfp zlib zlib-ng zstd"
    ),
}
_PYTHON_LIBS = "rosa|cst|sass|tmux|usb1|archive-c|pysal|nacl|conf|rt|tpu|.+-python"
"""What Python packages are called whose names begin as those of C libraries do."""
_PATTERNS = (
    (r"r-.+", _SYSTEM),
    (r"(?:gcc|gxx|gfortran|clangxx|binutils|sysroot|clang)-(?!format$|tidy$).+", _COMPILER),
    (r".+-impl-linux.*", _COMPILER),
    (r"cuda-(?!python$|core$|tile$).+|libcu.+|libnv.+|libnpp.*|magma-.+|nsight-.+", _CUDA),
    (r"mkl-.+|openblas-.+", _BLAS),
    (r"-.+|(?:xorg|aws-c|fonts?|gst|qt6)-.+|azure-.+-cpp", _LIBRARY),
    (rf"lib(?!(?:{_PYTHON_LIBS})$).+", _LIBRARY),
)
"""What names of a kind have in common."""

_BY_NAME = {name: why for why, names in _LEFT_OUT.items() for name in names.split()}
_COLLECTIONS = {"anaconda", "rapids"}


def left_out(name: str) -> tuple[str, bool] | None:
    """Return why a conda package is none of PyPI's; None if it is.

    Args:
        name: Normalised: in lower case, with hyphens.

    Returns:
        The reason, and whether nothing is lost that the user must look after.
    """
    if name in _COLLECTIONS:
        return "a collection of packages: list those that the project imports", False
    if why := _BY_NAME.get(name):
        return why, True
    found = next((why for pattern, why in _PATTERNS if re.fullmatch(pattern, name)), "")
    return (found, True) if found else None
