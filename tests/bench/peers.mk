# The tasks of tests/bench/run for make: a target for each line of INPUT, or for a goal. LINE is
# what to run, with the target's name in place of {}.
MAKEFLAGS += -rR
value = $(@:task/%=%)
tasks := $(addprefix task/,$(if $(INPUT),$(file <$(INPUT))))

.PHONY: all $(tasks)
all: $(tasks)
$(tasks):
	@$(subst {},$(value),$(LINE))
.DEFAULT:
	@$(subst {},$(value),$(LINE))
