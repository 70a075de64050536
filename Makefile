# Keck Appliance. `make help` lists the targets; CI runs only these.
SHELL := /bin/bash
export KECK_CHANNEL := none
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1
BIN := out/bin

.PHONY: help
help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.PHONY: demo
demo: ## from a bare machine to a live result: builds, meters this machine under load for 30 s, then a virtual machine (KEEP=1 leaves it serving)
	@eng/setup.sh demo
	@$(MAKE) --no-print-directory publish
	@eng/demo.sh

.PHONY: test
test: ## every test; ends with "N passed, N failed"
	@eng/setup.sh test
	@eng/test.sh all

.PHONY: quick
quick: ## the tests that take no VM, no browser and no native compilation; under 3 minutes
	@eng/setup.sh build
	@eng/test.sh quick

.PHONY: soak
soak: ## ten minutes of restarts, cuts and reboots of both agents in the nested host (KECK_SOAK_SECONDS=600)
	@eng/setup.sh test
	@$(MAKE) --no-print-directory publish
	@dotnet build tests/Keck.Rigs.Tests
	@KECK_SOAK_SECONDS=$${KECK_SOAK_SECONDS:-600} dotnet out/obj/bin/Keck.Rigs.Tests/debug/Keck.Rigs.Tests.dll -noColor -noLogo -showLiveOutput \
		-parallelMode none -class Keck.Rigs.Tests.NestedBudgetTests

.PHONY: bench
bench: ## the benchmarks; writes docs/performance.md
	@eng/setup.sh test
	@eng/bench.sh

.PHONY: accuracy
accuracy: ## scores the attribution on simulated machines, beside its peers' formulas; prints the tables of docs/accuracy.md (some minutes)
	@eng/setup.sh build && dotnet run --project tests/lab -c Release -- accuracy

.PHONY: format
format: ## formats the sources
	@dotnet format Keck.Appliance.sln

.PHONY: bpf
bpf: ## compiles the eBPF programs only
	@eng/setup.sh build
	@dotnet build host-agent/Bpf/Keck.Bpf.csproj -t:CompileBpf

.PHONY: publish
publish: ## native executables of the product into out/bin/
	@eng/setup.sh build
	@mkdir -p $(BIN)
	@dotnet publish host-agent/Agent/keck-host.csproj -c Release -o out/publish/keck-host
	@install -m 0755 out/publish/keck-host/keck-host $(BIN)/keck-host
	@dotnet publish guest-agent/keck-guest.csproj -c Release -o out/publish/keck-guest
	@install -m 0755 out/publish/keck-guest/keck-guest $(BIN)/keck-guest
	@ls -l $(BIN)

.PHONY: packages
packages: publish ## deb and RPM of keck-host and keck-guest into out/packages/
	@eng/setup.sh packages
	@eng/package.sh

.PHONY: clean
clean: ## removes everything built
	@rm -rf out
