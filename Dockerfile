# The image in which `autograder grade --isolation docker` runs student code: numeric libraries, and of ours
# the server, the worker and the codec. No course, no suite, no key, and nothing of the examiner's.
#
#   docker build -t autograder-worker .
#   docker build -t autograder-worker --build-arg VARIANT=cuda --build-arg BASE=... .
#
# BASE: any image with Python 3.11 or newer and pip, as `python3`.
# VARIANT: `none` (no torch), `cpu` or `cuda`. PyTorch's CPU builds are in an index of their own: name it by
#   PIP_OPTIONS="--extra-index-url ...".
# LIBRARIES: what notebooks may import, by their names on the package index.
# Wheels that lie in the folder wheels/ are used before any index; with them and PIP_OPTIONS=--no-index the
# image is built without a network.

ARG BASE=python:3.11-slim

FROM ${BASE} AS libraries
ARG VARIANT=cpu
ARG LIBRARIES="ipython matplotlib numpy pandas safetensors scipy tqdm"
ARG PIP_OPTIONS=""
# The pattern lets the folder be absent.
COPY constraints.txt wheel[s] /build/
RUN version=$(sed -n 's/^torch==//p' /build/constraints.txt); \
    case "${VARIANT}" in \
      none) torch= ;; \
      cpu) torch="torch==${version}+cpu" ;; \
      cuda) torch="torch==${version}" ;; \
      *) echo "VARIANT is none, cpu or cuda, not ${VARIANT}" >&2; exit 2 ;; \
    esac; \
    sed '/^torch==/d' /build/constraints.txt > /build/others.txt && \
    python3 -m pip install --no-cache-dir --no-compile --disable-pip-version-check --root-user-action=ignore \
        --find-links /build --constraint /build/others.txt ${PIP_OPTIONS} \
        --target /opt/libraries ${LIBRARIES} ${torch}

FROM ${BASE}
COPY --from=libraries /opt/libraries /opt/libraries
COPY autograder/__init__.py /opt/worker/autograder/
COPY autograder/values/__init__.py autograder/values/asking.py autograder/values/codec.py /opt/worker/autograder/values/
COPY autograder/sandbox/__init__.py autograder/sandbox/accelerator.py autograder/sandbox/cgroups.py autograder/sandbox/children.py autograder/sandbox/clocks.py \
     autograder/sandbox/confine.py autograder/sandbox/environment.py autograder/sandbox/limits.py \
     autograder/sandbox/memory.py autograder/sandbox/server.py autograder/sandbox/server_contained.py autograder/sandbox/tree.py \
     autograder/sandbox/warden*.py autograder/sandbox/warm.py autograder/sandbox/wire.py \
     autograder/sandbox/worker*.py \
     /opt/worker/autograder/sandbox/
LABEL autograder.worker="1"
# Whoever starts it gives it another number where one container serves one submission.
USER 10001:10001
WORKDIR /
ENTRYPOINT ["python3", "-s", "-P", "-S", "-B", "-X", "utf8", "-c", \
    "import sys; sys.path += ['/opt/libraries', '/opt/worker']; from autograder.sandbox.server_contained import main; main()"]
