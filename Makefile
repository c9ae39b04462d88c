# Short names for commands; nothing depends on make: in the venv, `ansible-playbook site.yml` does what `make up` does.
# INVENTORY=inventories/aws deploys to the real account.

SHELL := /bin/bash
.DEFAULT_GOAL := help
INVENTORY ?= inventories/local
# The newest that fits
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
PLAY = $(BIN)/ansible-playbook -i $(INVENTORY)
# The venv is made again when one of these changes.
REQUIREMENTS := requirements.txt requirements-dev.txt

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

up: $(BIN)/ansible-playbook ## Set everything up, send events through it, say what to open
	$(PLAY) site.yml playbooks/verify.yml playbooks/handover.yml

test: $(BIN)/pytest ## Set everything up and run all tests but drift and bench
	./tests/run all

test-drift: $(BIN)/pytest ## Break the deployment on purpose, in many ways; the playbook must repair each
	./tests/run drift

ci: $(BIN)/pytest ## What CI runs: test and test-drift, in three lanes
	./tests/run ci

verify: $(BIN)/ansible-playbook ## Send events and check every station on their way
	$(PLAY) playbooks/verify.yml

etl: $(BIN)/ansible-playbook ## Load everything that has arrived, now
	$(PLAY) playbooks/etl.yml

drift: $(BIN)/ansible-playbook ## Show what differs from the playbook, and change nothing
	$(PLAY) site.yml --check --diff

dashboard: $(BIN)/ansible-playbook ## Open the dashboard's port on this machine until Enter or Ctrl-C is pressed
	$(PLAY) playbooks/dashboard.yml

bench: $(BIN)/pytest ## Measure collector, ETL and dashboard; print a table
	./tests/run bench

audit: $(BIN)/pytest ## Let judges of others look at what make up made; docs/audit.md says what stays
	./tests/run audit

lint: $(BIN)/pytest ## Everything that reads the code without running it
	./tests/run lint

destroy: $(BIN)/ansible-playbook ## Show what would go, ask, and destroy the platform
	$(PLAY) playbooks/destroy.yml

down: ## Stop the local cloud and remove all that it made on this computer
	@[ ! -x $(BIN)/python ] || $(BIN)/python -m local_cloud stop

# A Python that is asked for may be another than the venv's.
ifneq ($(strip $(PYTHON)),)
$(BIN)/ansible-playbook $(BIN)/pytest: ask
endif
ask:

$(BIN)/ansible-playbook: requirements.txt
	./bin/bootstrap '$(PYTHON)' $(VENV) requirements.txt
	@touch $@

$(BIN)/pytest: $(REQUIREMENTS)
	./bin/bootstrap '$(PYTHON)' $(VENV) requirements-dev.txt
	@touch $@ $(BIN)/ansible-playbook

.PHONY: ask help up test test-drift ci verify etl drift dashboard bench audit lint destroy down
