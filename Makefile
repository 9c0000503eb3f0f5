# Thin wrappers around standard tools; `make help` lists the targets.

.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
CHECKOV := .venv-checkov
CLIENTS := .venv-clients
MINISTACK := .venv-ministack
FAKECLOUD := 0.51.0
ARCH ?= x86_64
STACK := default
CARGO_LAMBDA_ARCH := $(if $(filter arm64,$(ARCH)),--arm64)
FUNCTIONS := $(addprefix --package ,$(notdir $(wildcard functions/*)))

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# `--bin local` and not `--package local`: cargo then gives dependencies the same features as in `make test`, and does
# not compile them a second time.
.PHONY: run
run: ## Run the whole API on http://localhost:3000, with DynamoDB embedded
	@[ -d "$${CARGO_TARGET_DIR:-target}/debug" ] || echo "Compiling about 300 crates. This takes a few minutes the first time."
	@cargo run --bin local

.PHONY: watch
watch: $(VENV)/installed ## Run the real binaries behind the Lambda Runtime API on http://localhost:9000
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo run --quiet --bin local -- \
		with cargo lambda watch --invoke-address 127.0.0.1

# The functions for operators, on the local database. Only variables of the command line count, because
# some systems set USERNAME.
FIELDS := ID EMAIL USERNAME CREATED_BEFORE SCOPES KEYS FORCE
OPERATE = cargo run --quiet --bin local -- operate $(1) \
	$(foreach field,$(FIELDS),$(if $(filter command line,$(origin $(field))),$(field)="$$$(field)"))

.PHONY: find-account
find-account: ## Show a local account: make find-account EMAIL=abc@example.com (or USERNAME=..., ID=...)
	@$(call OPERATE,$@)

.PHONY: grant
grant: ## Replace a local account's scopes: make grant ID=... SCOPES=user,admin
	@$(call OPERATE,grant-scopes)

.PHONY: set-password
set-password: ## Set and show a random password of a local account: make set-password ID=...
	@$(call OPERATE,$@)

.PHONY: end-sessions
end-sessions: ## End all sessions of a local account: make end-sessions ID=... KEYS=true (its API keys too)
	@$(call OPERATE,$@)

.PHONY: disable-account
disable-account: ## Disable a local account: make disable-account ID=...
	@$(call OPERATE,$@)

.PHONY: enable-account
enable-account: ## Enable a local account: make enable-account ID=...
	@$(call OPERATE,$@)

.PHONY: delete-account
delete-account: ## Delete a local account: make delete-account ID=...
	@$(call OPERATE,$@)

.PHONY: openapi
openapi: ## Generate docs/openapi.json from the code
	@mkdir -p target
	@cargo run --quiet --bin local -- openapi >target/openapi.json
	@mv target/openapi.json docs/openapi.json

.PHONY: test
test: ## Run the tests in Rust; needs the same tools as `make run`
	cargo test

.PHONY: test-sam
test-sam: build ## Build, then run every event and route with the SAM CLI in Docker
	cargo build --quiet --bin local
	LATCHKEY_DB=:memory: $(VENV)/bin/python tests/lambda_docker.py \
		target/debug/local with $(VENV)/bin/python tests/sam_local.py

.PHONY: test-arm64
test-arm64: ## Build for arm64, then run every event in an emulated processor
	$(MAKE) build ARCH=arm64
	cargo build --quiet --bin local
	LATCHKEY_DB=:memory: target/debug/local with $(PYTHON) tests/arm64.py

.PHONY: test-deploy
test-deploy: build fakecloud ## Build, then deploy and operate the stack in fakecloud, an emulator of AWS, in Docker
	cargo build --quiet --bin local
	$(VENV)/bin/python tests/lambda_docker.py $(VENV)/bin/python tests/deploy.py

# Not a dependency of ours: a separate program under the AGPL, which only the test runs.
.PHONY: fakecloud
fakecloud: ## Install fakecloud with cargo, unless it is installed; takes 13 minutes on one core
	@fakecloud --version 2>/dev/null | grep -qx "fakecloud $(FAKECLOUD)" || CARGO_PROFILE_DEV_DEBUG=0 \
		cargo install fakecloud --version $(FAKECLOUD) --locked --profile dev

.PHONY: test-cloudformation
test-cloudformation: $(VENV)/installed $(MINISTACK)/installed ## Create, fail and import the stack in ministack, an emulator; compare events
	cargo build --quiet --bin local
	$(VENV)/bin/python tests/cloudformation.py

.PHONY: test-dynamodb-local
test-dynamodb-local: target/dynamodb-local/installed ## Compare the embedded DynamoDB with DynamoDB Local, over tests/it or its TESTS
	cargo test --quiet --package tests --test it --no-run
	$(PYTHON) tests/dynamodb_local.py target/dynamodb-local/package/emulator $(TESTS)

target/dynamodb-local/installed:
	@mkdir -p $(@D)
	cd $(@D) && tar -xzf $$(npm pack --silent amplify-dynamodb-simulator@2.9.30)
	@touch $@

.PHONY: test-clients
test-clients: $(CLIENTS)/installed target/clients/installed ## Generate clients in Python and TypeScript, and call the API with each
	$(PYTHON) tests/clients/run.py

# Without npm, the test says which libraries it did not run.
.PHONY: test-verifiers
test-verifiers: $(VENV)/installed $(if $(shell command -v npm 2>/dev/null),target/verifiers/installed) ## Verify tokens with libraries of JavaScript, Python and Go
	cargo build --quiet --bin local
	$(VENV)/bin/python tests/verifiers/run.py

# First the unit tests of `shared` run against each mutant, then all tests against the survivors. A
# timeout (status 3) counts as caught.
MUTANTS := cargo mutants --config tests/mutants.toml --output target/mutants --package shared \
	--file 'shared/src/domain/**' --file 'shared/src/auth/**' --file 'shared/src/crypto/**'

.PHONY: mutants
mutants: ## Check that a test fails for each broken rule (cargo install cargo-mutants); takes hours
	@mkdir -p target/mutants
	$(MUTANTS) --test-package shared; case $$? in 0|2|3) ;; *) exit 1 ;; esac
	$(MUTANTS) --iterate --test-package tests; case $$? in 0|3) ;; *) exit 1 ;; esac

.PHONY: check
check: $(VENV)/installed $(CHECKOV)/installed ## Formatting, lints, docs, the template, secrets, tokens, events
	cargo fmt --all --check
	cargo clippy --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --all-features
	$(VENV)/bin/cfn-lint template.yaml edge.yaml
	SAM_CLI_TELEMETRY=0 $(VENV)/bin/sam validate --lint --region eu-central-1
	$(CHECKOV)/bin/checkov --config-file .checkov.yaml
	$(CHECKOV)/bin/checkov --directory . --framework secrets --quiet --compact --skip-download \
		$(addprefix --skip-path ,tests/vectors target .venv .local .git)
	$(VENV)/bin/python tests/vectors/pyjwt.py
	$(VENV)/bin/python tests/gateway_events.py
	@if ! cargo deny --version >/dev/null 2>&1; then \
		echo "NOT CHECKED: licences and advisories of dependencies (cargo install cargo-deny)"; \
	else \
		cargo deny check bans licenses sources || exit 1; \
		if cargo deny fetch db >/dev/null 2>&1; then cargo deny check --disable-fetch advisories; \
		else echo "NOT CHECKED: advisories (the database cannot be fetched)"; fi; \
	fi

.PHONY: bench
bench: $(VENV)/installed ## Measure the release binaries and their floors; writes docs/benchmarks.md
	cargo build --release $(FUNCTIONS)
	cargo build --release --package bench
	target/release/bench $(PARTS)

.PHONY: test-instructions
test-instructions: build ## Build, then fail if a warm GET /user takes over 3 % more instructions
	cargo build --quiet --package bench
	target/debug/bench guard

# Each target starts from its seeds, past crashes and the corpus of earlier runs. An input that fails
# is written to tests/fuzz/crashes, to be checked in.
FUZZ_TARGETS := $(basename $(notdir $(wildcard tests/fuzz/src/bin/*.rs)))

.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZ_SECONDS (60) each, with the random numbers of FUZZ_SEED if set
	RUSTC_WORKSPACE_WRAPPER=$(CURDIR)/tests/fuzz/rustc cargo build --quiet --package fuzz
	@for target in $(FUZZ_TARGETS); do \
		mkdir -p target/corpus/$$target tests/fuzz/crashes/$$target; \
		target/debug/$$target target/corpus/$$target tests/fuzz/seeds/$$target tests/fuzz/crashes/$$target \
			-max_total_time=$(or $(FUZZ_SECONDS),60) $(addprefix -seed=,$(FUZZ_SEED)) -dict=tests/fuzz/dictionary.txt \
			-artifact_prefix=tests/fuzz/crashes/$$target/ -timeout=10 -rss_limit_mb=2048 \
			-print_final_stats=1 >target/corpus/$$target.log 2>&1 || \
			{ tail -50 target/corpus/$$target.log; exit 1; }; \
		echo "$$target"; grep ^stat:: target/corpus/$$target.log; \
	done

.PHONY: costs
costs: ## Update the figures of docs/costs.md
	cargo run --quiet --bin costs

.PHONY: lines
lines: ## Count the lines of product, tests and machinery, without blanks and comments
	@$(PYTHON) tests/lines.py

.PHONY: setup
setup: $(VENV)/installed ## Install the Python tools of check, build and deploy into .venv

$(VENV)/installed: tests/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement tests/requirements.txt
	@touch $@

# Checkov has its own environment, because its dependencies conflict with those of the other tools.
$(CHECKOV)/installed: tests/requirements-checkov.txt
	$(PYTHON) -m venv $(CHECKOV)
	$(CHECKOV)/bin/pip install --quiet --requirement tests/requirements-checkov.txt
	@touch $@

# ministack pins its own version of the AWS SDK.
$(MINISTACK)/installed: tests/requirements-ministack.txt
	$(PYTHON) -m venv $(MINISTACK)
	$(MINISTACK)/bin/pip install --quiet --requirement tests/requirements-ministack.txt
	@touch $@

# The generators of `make test-clients` have their own environment for the same reason.
$(CLIENTS)/installed: tests/clients/requirements.txt
	$(PYTHON) -m venv $(CLIENTS)
	$(CLIENTS)/bin/pip install --quiet --requirement tests/clients/requirements.txt
	@touch $@

target/%/installed: tests/%/package.json tests/%/package-lock.json
	@mkdir -p $(@D)
	cp $^ $(@D)
	npm ci --silent --prefix $(@D)
	@touch $@

.PHONY: build
build: $(VENV)/installed ## Build the Lambda functions into target/lambda/, for ARCH=x86_64 or arm64
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo lambda build --release $(CARGO_LAMBDA_ARCH) $(FUNCTIONS)
	$(PYTHON) tests/built.py

.PHONY: package
package: build ## Build, then pack functions and template, to be deployed with the AWS CLI alone
	$(PYTHON) tests/package.py $(ARCH)

.PHONY: deploy
deploy: build ## Build, then deploy the stack: STACK=default or prod of samconfig.toml
	$(VENV)/bin/sam deploy --config-env $(STACK)
