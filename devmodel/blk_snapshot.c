#include "devmodel/blk.h"

#include <glib.h>
#include <string.h>

#include "shared/snap.h"

#define CLUSTER_SECTORS 128u
#define CLUSTER_SIZE    (CLUSTER_SECTORS * BLK_SECTOR_SIZE)

struct cluster {
	uint64_t number;                    /* the hash table's key */
	uint8_t written[CLUSTER_SECTORS / 8]; /* bit map: the rest is below */
	uint8_t data[CLUSTER_SIZE];
};

struct blk_snapshot {
	struct blk blk;
	struct blk *below;
	GHashTable *clusters;
};

static struct cluster *find(const struct blk_snapshot *snapshot, uint64_t number)
{
	return g_hash_table_lookup(snapshot->clusters, &number);
}

static struct cluster *find_or_add(struct blk_snapshot *snapshot, uint64_t number)
{
	struct cluster *cluster = find(snapshot, number);

	if (!cluster) {
		cluster = g_new0(struct cluster, 1);
		cluster->number = number;
		g_hash_table_insert(snapshot->clusters, &cluster->number, cluster);
	}
	return cluster;
}

static bool is_written(const struct cluster *cluster, uint32_t sector)
{
	return cluster && cluster->written[sector / 8] >> sector % 8 & 1;
}

/* How many of `count` sectors from `sector` of a cluster come from the same layer. */
static uint32_t run_length(const struct cluster *cluster, uint32_t sector, uint32_t count)
{
	uint32_t length = 1;

	while (length < count && is_written(cluster, sector + length) == is_written(cluster, sector))
		length++;
	return length;
}

static int snapshot_read(struct blk *blk, uint64_t sector, uint32_t count, void *to)
{
	struct blk_snapshot *snapshot = (struct blk_snapshot *)blk;
	uint8_t *at = to;

	while (count) {
		struct cluster *cluster = find(snapshot, sector / CLUSTER_SECTORS);
		uint32_t first = (uint32_t)(sector % CLUSTER_SECTORS);
		uint32_t run = run_length(cluster, first, MIN(count, CLUSTER_SECTORS - first));
		if (is_written(cluster, first)) {
			memcpy(at, cluster->data + first * BLK_SECTOR_SIZE, run * BLK_SECTOR_SIZE);
		} else {
			int error = blk_read(snapshot->below, sector, run, at);
			if (error)
				return error;
		}
		at += run * BLK_SECTOR_SIZE;
		sector += run;
		count -= run;
	}
	return 0;
}

static int snapshot_write(struct blk *blk, uint64_t sector, uint32_t count, const void *from)
{
	struct blk_snapshot *snapshot = (struct blk_snapshot *)blk;
	const uint8_t *at = from;

	for (; count; count--, sector++, at += BLK_SECTOR_SIZE) {
		struct cluster *cluster = find_or_add(snapshot, sector / CLUSTER_SECTORS);
		uint32_t within = (uint32_t)(sector % CLUSTER_SECTORS);
		memcpy(cluster->data + within * BLK_SECTOR_SIZE, at, BLK_SECTOR_SIZE);
		cluster->written[within / 8] |= (uint8_t)(1u << within % 8);
	}
	return 0;
}

static void state_cluster(struct cluster *cluster, struct snap *snap)
{
	snap_bytes(snap, "written", cluster->written, sizeof cluster->written);
	snap_bytes(snap, "data", cluster->data, sizeof cluster->data);
}

static void load_clusters(struct blk_snapshot *snapshot, struct snap *snap, uint64_t count)
{
	uint64_t limit = (snapshot->blk.sectors + CLUSTER_SECTORS - 1) / CLUSTER_SECTORS;

	if (snap_error(snap))
		return;
	g_hash_table_remove_all(snapshot->clusters);
	while (count-- && !snap_error(snap)) {
		uint64_t number = 0;
		snap_u64(snap, "cluster", &number);
		if (number >= limit)
			snap_fail(snap, "cluster %llu is past the end of the disk", (unsigned long long)number);
		else
			state_cluster(find_or_add(snapshot, number), snap);
	}
}

static gint by_number(gconstpointer a, gconstpointer b)
{
	const struct cluster *x = a, *y = b;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void save_clusters(struct blk_snapshot *snapshot, struct snap *snap)
{
	GList *sorted = g_list_sort(g_hash_table_get_values(snapshot->clusters), by_number);

	for (GList *item = sorted; item; item = item->next) {
		struct cluster *cluster = item->data;
		uint64_t number = cluster->number;
		snap_u64(snap, "cluster", &number);
		state_cluster(cluster, snap);
	}
	g_list_free(sorted);
}

static void snapshot_state(struct blk *blk, struct snap *snap)
{
	struct blk_snapshot *snapshot = (struct blk_snapshot *)blk;
	uint64_t count = g_hash_table_size(snapshot->clusters);

	snap_u64(snap, "clusters", &count);
	if (snap_is_loading(snap))
		load_clusters(snapshot, snap, count);
	else
		save_clusters(snapshot, snap);
}

static struct blk *snapshot_below(struct blk *blk)
{
	return ((struct blk_snapshot *)blk)->below;
}

static void snapshot_forget(struct blk *blk)
{
	g_hash_table_remove_all(((struct blk_snapshot *)blk)->clusters);
}

static void snapshot_free(struct blk *blk)
{
	struct blk_snapshot *snapshot = (struct blk_snapshot *)blk;

	g_hash_table_unref(snapshot->clusters);
	blk_free(snapshot->below);
	g_free(snapshot);
}

static const struct blk_ops snapshot_ops = {
	.name = "snapshot",
	.read = snapshot_read,
	.write = snapshot_write,
	.state = snapshot_state,
	.below = snapshot_below,
	.forget = snapshot_forget,
	.free = snapshot_free,
};

struct blk *blk_snapshot_new(struct blk *below)
{
	struct blk_snapshot *snapshot = g_new0(struct blk_snapshot, 1);

	snapshot->blk.ops = &snapshot_ops;
	snapshot->blk.sectors = below->sectors;
	snapshot->blk.name = below->name;
	snapshot->below = below;
	snapshot->clusters = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
	return &snapshot->blk;
}

size_t blk_snapshot_used(const struct blk *blk)
{
	const struct blk_snapshot *snapshot = (const struct blk_snapshot *)blk;
	return g_hash_table_size(snapshot->clusters) * (size_t)CLUSTER_SIZE;
}
