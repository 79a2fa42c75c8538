#include "shared/engine.h"

const char *stop_reason_name(enum stop_reason reason)
{
	static const char *const names[STOP_REASONS] = {
		[STOP_NONE] = "none",
		[STOP_BUDGET] = "budget",
		[STOP_MODE] = "mode",
		[STOP_HALT] = "halt",
		[STOP_KICK] = "kick",
		[STOP_SHUTDOWN] = "shutdown",
		[STOP_ERROR] = "error",
		[STOP_DEBUG] = "debug",
		[STOP_HELD] = "held",
	};
	return (unsigned)reason < STOP_REASONS ? names[reason] : "unknown";
}
