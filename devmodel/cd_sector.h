/* A mode 1 sector as it lies on the disc (ECMA-130, clause 14): sync 12, header 4,
 * user data 2,048, EDC 4, zeros 8, ECC 276. */
#ifndef V2E_DEVMODEL_CD_SECTOR_H
#define V2E_DEVMODEL_CD_SECTOR_H

#include <stdint.h>

#define CD_SECTOR_SIZE   2352u
#define CD_SECTOR_HEADER 12u
#define CD_SECTOR_DATA   16u
#define CD_SECTOR_EDC    2064u

/* Minute, second, frame of a block; the first one is at 00:02:00. */
void cd_sector_msf(uint32_t block, uint8_t msf[3]);

/* Puts everything round the user data, which the caller has placed at
 * CD_SECTOR_DATA. */
void cd_sector_complete(uint8_t sector[CD_SECTOR_SIZE], uint32_t block);

#endif
