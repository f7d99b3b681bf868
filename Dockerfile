# Builds the service and runs it as a user of its own. The store, or what a server on a cluster keeps by itself, lies in the
# volume /data. Images are pinned by version; no image has been built from this version of the file, for want of a daemon.
#
#   docker build --tag coldproof:0.1.0 .
#   docker run --rm --volume coldproof:/data coldproof:0.1.0 keygen
#   docker run --volume coldproof:/data --publish 8080:8080 coldproof:0.1.0 serve --host trace.example.com
#
# docker-compose.yml runs two of them over a cluster.

FROM rust:1.91.0-bookworm AS build
WORKDIR /build
COPY . .
RUN cargo build --release --locked --bin coldproof && strip target/release/coldproof

FROM debian:12.12-slim
RUN useradd --system --uid 10001 --home-dir /data coldproof \
    && install --directory --owner=coldproof --group=coldproof --mode=0700 /data /documents
COPY --from=build /build/target/release/coldproof /usr/local/bin/coldproof
USER coldproof
VOLUME /data
WORKDIR /data
ENV COLDPROOF_STORE_LOCATION=embedded:/data \
    COLDPROOF_SERVER_LISTEN=0.0.0.0:8080 \
    COLDPROOF_LOG_FORMAT=json
EXPOSE 8080
STOPSIGNAL SIGTERM
# The image has no HTTP client; a shell that speaks one line of it is enough.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD \
    ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3; read -r line <&3; [[ $line == *' 200 '* ]]"]
ENTRYPOINT ["coldproof"]
CMD ["serve"]
