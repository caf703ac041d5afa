"""The orchestrations of the workload authcache."""
