"""The workload types of ``templates/``, each folder by the same tests: nothing here knows a type by its name."""
