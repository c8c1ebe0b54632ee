# Needs root, python3 and make on Debian or Ubuntu; everything else installs itself into HEADGATE_CACHE
# (default ~/.cache/headgate) and from Debian's packages, each said before it happens.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
run := . scripts/toolchain.sh && use_project &&

.PHONY: help setup about-demo demo test test-fast test-gpu verify format soak campaign failovers faults swaps fuzz bench-operator bench-runtime bench-peers bench-profile bench-liveness bed-up bed-down clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: ## toolchain, npm packages
	@. scripts/toolchain.sh && install_project

about-demo:
	@cat test/demo/about.txt

demo: about-demo setup ## a real cluster on this machine: a model goes from version 1 to 2 under traffic, bad versions go back
	@$(run) scripts/install-packages.sh && test/bed/build-parts.sh && node test/demo/main.ts

test: setup ## every tier: types, lint, generated files, unit, chart, simulator, API server, whole stack
	@$(run) scripts/install-packages.sh && test/bed/build-parts.sh && node scripts/test.ts all

test-fast: setup ## without a cluster, two to five minutes
	@$(run) node scripts/test.ts fast

test-gpu: setup ## on a machine with an NVIDIA GPU and its driver: the runtime on it, a minute
	@$(run) libraries=$$(scripts/cuda-libraries.sh) && HEADGATE_GPU=1 LD_LIBRARY_PATH="$$libraries" vitest run --project gpu

verify: setup ## generated files are what the sources say
	@$(run) node scripts/generate.ts --check

format: setup ## lay out the sources
	@$(run) npx prettier --write .

soak: setup ## a million watch events with every fault of an API server and a network: what is missed, how long, how much memory
	@$(run) node --expose-gc test/soak/main.ts

campaign: setup ## every leaf of the CRD, changed again and again and back; some minutes
	@$(run) scripts/install-packages.sh && test/bed/build-parts.sh && HEADGATE_CAMPAIGN=whole vitest run --project api-server test/api-server/schema-campaign.test.ts

failovers: setup ## a thousand leaders lost, one after the other, by every way to lose one: whose writes land; about an hour
	@$(run) scripts/install-packages.sh && test/bed/build-parts.sh && HEADGATE_FAILOVERS=1000 vitest run --project api-server test/api-server/failovers.test.ts

faults: setup ## every write and every event of a rollout of each strategy, with every fault of an API server once; about an hour
	@$(run) scripts/install-packages.sh && test/bed/build-parts.sh && HEADGATE_FAULTS="$${HEADGATE_FAULTS:-whole}" vitest run --project api-server test/api-server/faults.test.ts

swaps: setup ## one model after the other, twenty times, on the whole stack under load; some minutes
	@$(run) scripts/install-packages.sh && test/bed/build-parts.sh && HEADGATE_SWAPS=20 vitest run --project e2e test/e2e/swaps.test.ts

fuzz: setup ## a million requests and a hundred thousand models that are almost right, against the runtime; some ten minutes
	@$(run) node test/fuzz/main.ts

bench-operator: setup ## objects per second, no-op reconcile, memory at 1,000 objects
	@$(run) scripts/install-packages.sh && test/bed/build-parts.sh api && node bench/operator.ts

bench-runtime: setup ## requests per second and latency against a bare session.run
	@$(run) node bench/runtime.ts

bench-liveness: setup ## how soon probes are answered while every core is busy and the model is loaded again and again; a minute
	@$(run) node bench/liveness.ts

bench-peers: setup ## the runtime against MLServer, Triton, KServe, BentoML, LitServe and FastAPI; PLAN=full for more than an hour instead of a quarter of one
	@$(run) bench/peers/install.sh && taskset -c 1 node bench/peers.ts --plan "$${PLAN:-quick}" --output "$${OUTPUT:-/tmp/headgate-bench-peers.json}"

bench-profile: setup ## where the time of the runtime's serving process goes under that load
	@$(run) bench/peers/install.sh && taskset -c 1 node bench/profile.ts

bed-up: setup ## the cluster alone
	@$(run) scripts/install-packages.sh && test/bed/build-parts.sh && node test/bed/main.ts up

bed-down: setup ## end the cluster and undo what it changed
	@$(run) node test/bed/main.ts down

clean: bed-down ## bed-down, and remove what was built in this folder
	@rm -rf dist coverage
