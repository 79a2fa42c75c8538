#include "cli/network.h"

#include <string.h>

#include <glib.h>

#include "cli/run_options.h"
#include "loader/firmware.h"
#include "shared/log.h"

/* Locally administered, the same for each machine: two runs are equal. */
static const uint8_t default_mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

void network_options_init(struct network_options *network)
{
	memset(network, 0, sizeof *network);
	memcpy(network->mac, default_mac, sizeof network->mac);
}

void network_options_clear(struct network_options *network)
{
	g_free(network->tftp);
	g_free(network->bootfile);
	g_free(network->rom);
}

bool network_options_check(const struct network_options *network, char **error)
{
	if (!network->card && network->more)
		*error = g_strdup("--net-...: there is no network card; give --net user as well");
	else if (network->bootfile && !network->tftp)
		*error = g_strdup("--net-bootfile: there is no folder that it is loaded from; give --net-tftp DIR as well");
	return !*error;
}

/* --- setters ------------------------------------------------------------------------------- */

bool network_set_kind(void *target, const char *value, char **error)
{
	struct network_options *network = &((struct run_options *)target)->network;
	network->card = !strcmp(value, "user");
	if (network->card || !strcmp(value, "none"))
		return true;
	*error = g_strdup_printf("unknown network '%s'; give user or none", value);
	return false;
}

bool network_set_model(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	options->built_in = "net-model";
	options->network.more = true;
	options->network.is_virtio = !strcmp(value, "virtio");
	if (options->network.is_virtio || !strcmp(value, "e1000"))
		return true;
	*error = g_strdup_printf("unknown card '%s'; give e1000 or virtio", value);
	return false;
}

static bool set_text(struct network_options *network, char **to, const char *value, char **error)
{
	network->more = true;
	if (!*value) {
		*error = g_strdup("the name is empty; give one");
		return false;
	}
	g_free(*to);
	*to = g_strdup(value);
	return true;
}

bool network_set_tftp(void *target, const char *value, char **error)
{
	struct network_options *network = &((struct run_options *)target)->network;
	return set_text(network, &network->tftp, value, error);
}

/* A BOOTP packet has 128 bytes for it (RFC 951). */
bool network_set_bootfile(void *target, const char *value, char **error)
{
	struct network_options *network = &((struct run_options *)target)->network;
	if (strlen(value) < 128)
		return set_text(network, &network->bootfile, value, error);
	*error = g_strdup_printf("a name of %zu characters; give one of at most 127", strlen(value));
	return false;
}

bool network_set_rom(void *target, const char *value, char **error)
{
	struct network_options *network = &((struct run_options *)target)->network;
	if (!set_text(network, &network->rom, value, error))
		return false;
	if (!strcmp(network->rom, "none"))
		*network->rom = '\0';
	return true;
}

bool network_set_mac(void *target, const char *value, char **error)
{
	struct network_options *network = &((struct run_options *)target)->network;
	g_auto(GStrv) words = g_strsplit(value, ":", -1);
	bool good = g_strv_length(words) == 6;
	network->more = true;
	for (unsigned i = 0; good && i < 6; i++) {
		good = strlen(words[i]) == 2 && g_ascii_isxdigit(words[i][0]) && g_ascii_isxdigit(words[i][1]);
		network->mac[i] = (uint8_t)strtoul(words[i], NULL, 16);
	}
	if (good && !(network->mac[0] & 1))
		return true;
	*error = g_strdup_printf("'%s' is no address of one card; give one such as 52:54:00:12:34:56", value);
	return false;
}

bool network_set_outbound(void *target, const char *value, char **error)
{
	struct network_options *network = &((struct run_options *)target)->network;
	(void)value, (void)error;
	return network->more = network->outbound = true;
}

static bool parse_port(const char *text, uint16_t *port)
{
	guint64 number;
	if (!g_ascii_string_to_unsigned(text, 10, 1, UINT16_MAX, &number, NULL))
		return false;
	*port = (uint16_t)number;
	return true;
}

bool network_add_forward(void *target, const char *value, char **error)
{
	struct network_options *network = &((struct run_options *)target)->network;
	g_auto(GStrv) words = g_strsplit(value, ":", -1);
	struct network_forward forward = { 0 };
	network->more = true;
	if (network->forwards == NETWORK_FORWARDS) {
		*error = g_strdup_printf("more than %u ports; leave some out", NETWORK_FORWARDS);
		return false;
	}
	if (g_strv_length(words) != 3 || (strcmp(words[0], "tcp") && strcmp(words[0], "udp")) ||
	    !parse_port(words[1], &forward.host_port) || !parse_port(words[2], &forward.guest_port)) {
		*error = g_strdup_printf("'%s' is no way for packets; give PROTOCOL:PORT:GUEST-PORT such as tcp:2222:22", value);
		return false;
	}
	forward.is_udp = !strcmp(words[0], "udp");
	network->forward[network->forwards++] = forward;
	return true;
}

/* --- building ---------------------------------------------------------------------------------- */

static bool boots_from_network(const struct pc_config *config)
{
	for (unsigned i = 0; config->boot[i] != PC_BOOT_END; i++)
		if (config->boot[i] == PC_BOOT_NETWORK)
			return true;
	return false;
}

static bool load_rom(const struct network_options *options, struct pc_config *config, char **error)
{
	struct firmware rom = { NULL, 0 };
	if (options->is_virtio || (options->rom && !*options->rom))
		return true;
	bool wanted = options->rom || options->bootfile || boots_from_network(config);
	if (!firmware_load_nic_rom(options->rom, &rom, error)) {
		if (wanted)
			return false;
		log_info("--net: no booting from the network: %s", *error);
		g_clear_pointer(error, g_free);
	}
	config->nic_rom = rom.data;
	config->nic_rom_size = rom.size;
	return true;
}

static bool open_network(const struct network_options *options, struct clock *clock, struct network **network, char **error)
{
	struct network_user_config user = {
		.clock = clock, .tftp = options->tftp, .bootfile = options->bootfile, .outbound = options->outbound,
		.forwards = options->forwards,
	};
	char *problem = NULL;
	memcpy(user.forward, options->forward, sizeof user.forward);
	*network = network_user_new(&user, &problem);
	if (!*network)
		*error = g_strdup_printf("--net: %s", problem);
	g_free(problem);
	return *network;
}

bool network_open(const struct network_options *options, const struct snap_blob *rom, struct clock *clock, struct pc_config *config,
                  struct network **network, char **error)
{
	if (!options->card)
		return true;
	config->nic = !options->is_virtio;
	memcpy(config->mac, options->mac, sizeof config->mac);
	if (rom) {
		config->nic_rom = g_memdup2(rom->data, rom->size);
		config->nic_rom_size = rom->size;
	} else if (!load_rom(options, config, error)) {
		return false;
	}
	if (open_network(options, clock, network, error)) {
		config->network = *network;
		return true;
	}
	network_close_rom(config);
	return false;
}

void network_close_rom(struct pc_config *config)
{
	struct firmware rom = { (uint8_t *)config->nic_rom, config->nic_rom_size };
	firmware_clear(&rom);
	config->nic_rom = NULL;
	config->nic_rom_size = 0;
}
