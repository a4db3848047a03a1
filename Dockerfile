# syntax=docker/dockerfile:1

FROM node:24-bookworm-slim AS build
WORKDIR /app
# the packages first: they change less often than the source, and are then taken from the cache
COPY package.json package-lock.json ./
COPY packages/helm-render/package.json packages/helm-render/
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json LICENSE ./
COPY scripts scripts
COPY packages packages
COPY src src
RUN npm run build
# only what runs: no compiler, no test libraries, and of the libraries no declarations, maps, documents, tests and builds
# for browsers; the renderer's package is in dist already; no package of these needs its install script
RUN npm ci --omit=dev --ignore-scripts --workspaces=false && rm -rf node_modules/@tiller-gateway && \
  node scripts/prune-modules.ts node_modules
# Node.js comes with its debugger's symbols: without them it takes 18 MB less. In all the image has about 150 MB unpacked:
# node 109, the base 24, node_modules 15 to 19, dist and proto 2.
RUN apt-get update && apt-get install -y --no-install-recommends binutils && strip /usr/local/bin/node

# glibc, libstdc++ and CA certificates; no shell, no package manager
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY proto proto
COPY LICENSE ./
ENV NODE_ENV=production
# 65532, the user `nonroot`; by number, so that Kubernetes can tell that it is not root
USER 65532:65532
EXPOSE 9855
# The program writes nothing outside /tmp: run it with --read-only --tmpfs /tmp.
# Where --addr is changed, change it by TILLER_GATEWAY_ADDR, which the health check reads as well.
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s --retries=3 \
  CMD ["node", "/app/dist/main.js", "--health-check", "live"]
ENTRYPOINT ["node", "/app/dist/main.js"]
