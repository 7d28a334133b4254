# A team's own image: its workspace on top of driftgate. From the workspace:
# docker build -f workspace.Dockerfile --build-arg DRIFTGATE=REGISTRY/driftgate:TAG -t REGISTRY/watch:TAG .
ARG DRIFTGATE=driftgate:0.1.0
# hadolint ignore=DL3006
FROM ${DRIFTGATE}
COPY --chown=10001:10001 . /workspace
