!> Facade: ageing of snow, its albedo and light, and snow on plants, on arrays of any number of columns.
!>
!> Arrays are (ncolumn, n). A pack of snow holds ice, liquid, thickness, temperature and grain radius of its layers, one
!> quantity after the other: (ncolumn, 5 nsnow). Other inputs of one subject come packed too; the order of a pack is
!> written at its argument and repeated in pyland/core/snow_surface.py.
module pl_api_snow_surface
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_canopy_snow, only: combine_shares, expose_canopy, intercept_snow
   use pl_chunk, only: chunk_count, chunk_width, lane_source
   use pl_error, only: error_input, error_type, raise_error, report
   use pl_kinds, only: rk
   use pl_land_chunk, only: albedo_age, albedo_grains, nband, plant_chunk_type
   use pl_snow_options, only: crocus_dust
   use pl_snow_albedo, only: band_albedo, dust_darkening, snow_absorption, snow_albedo
   use pl_snow_chunk, only: clear_snow, most_snow_layers, snow_chunk_type
   use pl_snow_grains, only: age_snow, grow_grains
   implicit none (type, external)
   private
   public :: snow_age_step, snow_bands, snow_canopy, snow_expose, snow_grow, snow_light, snow_reflect

   integer, parameter :: nquantity = 5 !! quantities in a pack of snow
   integer, parameter :: nvalue = 3    !! results per column of the single-value procedures

contains

   !> Growth of grains.
   subroutine snow_grow(dt, packs, columns, refrozen, grain_radius, ierr, errmsg)
      real(rk), intent(in) :: dt                    !! time step [s]
      real(rk), intent(in) :: packs(:, :)           !! snow
      real(rk), intent(in) :: columns(:, :)         !! cover [1], air pressure [Pa], soil temperature [K],
                                                    !! distance to it [m]
      real(rk), intent(in) :: refrozen(:, :)        !! (ncolumn, nsnow) [kg m-2]
      real(rk), intent(inout) :: grain_radius(:, :) !! out: at the end of the step, (ncolumn, nsnow) [um]
      integer, intent(out) :: ierr                  !! 0 or an error code
      character(len=512), intent(out) :: errmsg     !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(snow_chunk_type) :: snow
      real(rk) :: frozen(chunk_width, most_snow_layers)
      integer :: source(chunk_width), chunk, ncolumn, nsnow, first, last, count
      ncolumn = size(packs, 1)
      nsnow = size(grain_radius, 2)
      call check_layers(nsnow, error)
      call check_pack(packs, ncolumn, nquantity*nsnow, "packs", error)
      call check_pack(columns, ncolumn, 4, "columns", error)
      call check_pack(refrozen, ncolumn, nsnow, "refrozen", error)
      call check_pack(grain_radius, ncolumn, nsnow, "grain_radius", error)
      call check_step(dt, error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      frozen = 0.0_rk
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call unpack_snow(packs, columns(source, 1), nsnow, source, snow)
         frozen(:, :nsnow) = refrozen(source, :)
         call grow_grains(dt, columns(source, 2), columns(source, 3), columns(source, 4), frozen, snow)
         grain_radius(first:last, :) = snow%grain_radius(:count, :nsnow)
      end do
   end subroutine snow_grow

   !> Age of the surface (BATS).
   subroutine snow_age_step(dt, packs, columns, ages, ierr, errmsg)
      real(rk), intent(in) :: dt                !! time step [s]
      real(rk), intent(in) :: packs(:, :)       !! snow
      real(rk), intent(in) :: columns(:, :)     !! surface temperature [K], new snow [kg m-2]
      real(rk), intent(inout) :: ages(:, :)     !! age, (ncolumn, 1) [1]
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(snow_chunk_type) :: snow
      real(rk) :: cover(chunk_width)
      integer :: source(chunk_width), chunk, ncolumn, nsnow, first, last, count
      ncolumn = size(packs, 1)
      nsnow = size(packs, 2)/nquantity
      call check_layers(nsnow, error)
      call check_pack(packs, ncolumn, nquantity*nsnow, "packs", error)
      call check_pack(columns, ncolumn, 2, "columns", error)
      call check_pack(ages, ncolumn, 1, "ages", error)
      call check_step(dt, error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      cover = 1.0_rk
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call unpack_snow(packs, cover, nsnow, source, snow)
         snow%age = ages(source, 1)
         call age_snow(dt, columns(source, 1), columns(source, 2), snow)
         ages(first:last, 1) = snow%age(:count)
      end do
   end subroutine snow_age_step

   !> Albedo of the snow-covered ground.
   subroutine snow_reflect(scheme, packs, columns, results, ierr, errmsg)
      integer, intent(in) :: scheme             !! number of the albedo scheme (pl_snow_albedo)
      real(rk), intent(in) :: packs(:, :)       !! snow
      real(rk), intent(in) :: columns(:, :)     !! cover, cosine of the zenith angle [1], air pressure [Pa], age [1],
                                                !! time that dust gathered [day], soil albedo vis, nir [1]
      real(rk), intent(inout) :: results(:, :)  !! albedo direct vis, nir, diffuse vis, nir [1]
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(snow_chunk_type) :: snow
      real(rk) :: direct(chunk_width, nband), diffuse(chunk_width, nband)
      integer :: source(chunk_width), chunk, ncolumn, nsnow, first, last, count
      ncolumn = size(packs, 1)
      nsnow = size(packs, 2)/nquantity
      call check_layers(nsnow, error)
      call check_pack(packs, ncolumn, nquantity*nsnow, "packs", error)
      call check_pack(columns, ncolumn, 7, "columns", error)
      call check_pack(results, ncolumn, 2*nband, "results", error)
      if (.not. allocated(error) .and. scheme /= albedo_grains .and. scheme /= albedo_age) then
         call raise_error(error, error_input, "snow albedo has no scheme of this number; give 1 (grains) or 2 (age)")
      end if
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call unpack_snow(packs, columns(source, 1), nsnow, source, snow)
         snow%age = columns(source, 4)
         snow%dust_age = spread(columns(source, 5), 2, size(snow%dust_age, 2))
         call snow_albedo(scheme, crocus_dust, columns(source, 2), columns(source, 3), columns(source, 6:7), &
                          snow, direct, diffuse)
         results(first:last, :nband) = direct(:count, :)
         results(first:last, nband + 1:) = diffuse(:count, :)
      end do
   end subroutine snow_reflect

   !> Diffuse albedo of deep snow in the three bands of the grain scheme.
   subroutine snow_bands(columns, results, ierr, errmsg)
      real(rk), intent(in) :: columns(:, :)     !! grain radius [um], time that dust gathered [day], air pressure [Pa]
      real(rk), intent(inout) :: results(:, :)  !! albedo of 0.3-0.8, 0.8-1.5, 1.5-2.8 um [1]
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      integer :: ncolumn
      ncolumn = size(columns, 1)
      call check_pack(columns, ncolumn, 3, "columns", error)
      call check_pack(results, ncolumn, nvalue, "results", error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      call band_albedo(columns(:, 1), dust_darkening(crocus_dust, columns(:, 2), columns(:, 3)), results(:, 1), results(:, 2), &
                       results(:, 3))
   end subroutine snow_bands

   !> Where absorbed light stays.
   subroutine snow_light(packs, columns, per_layer, to_ground, ierr, errmsg)
      real(rk), intent(in) :: packs(:, :)        !! snow
      real(rk), intent(in) :: columns(:, :)      !! cover [1], absorbed visible and near infrared [W m-2]
      real(rk), intent(inout) :: per_layer(:, :) !! (ncolumn, nsnow) [W m-2]
      real(rk), intent(inout) :: to_ground(:, :) !! (ncolumn, 1) [W m-2]
      integer, intent(out) :: ierr               !! 0 or an error code
      character(len=512), intent(out) :: errmsg  !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(snow_chunk_type) :: snow
      real(rk) :: layers(chunk_width, most_snow_layers), below(chunk_width)
      integer :: source(chunk_width), chunk, ncolumn, nsnow, first, last, count
      ncolumn = size(packs, 1)
      nsnow = size(per_layer, 2)
      call check_layers(nsnow, error)
      call check_pack(packs, ncolumn, nquantity*nsnow, "packs", error)
      call check_pack(columns, ncolumn, 3, "columns", error)
      call check_pack(per_layer, ncolumn, nsnow, "per_layer", error)
      call check_pack(to_ground, ncolumn, 1, "to_ground", error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call unpack_snow(packs, columns(source, 1), nsnow, source, snow)
         call snow_absorption(snow, columns(source, 2), columns(source, 3), layers, below)
         per_layer(first:last, :) = layers(:count, :nsnow)
         to_ground(first:last, 1) = below(:count)
      end do
   end subroutine snow_light

   !> Interception of snow, and the wet and dry shares of the canopy together with rain.
   subroutine snow_canopy(dt, inputs, canopy_snow, results, ierr, errmsg)
      real(rk), intent(in) :: dt                   !! time step [s]
      real(rk), intent(in) :: inputs(:, :)         !! leaf area, stem area [m2 m-2], snowfall [kg m-2 s-1], air
                                                   !! temperature [K], wind speed [m s-1], share wet by rain [1]
      real(rk), intent(inout) :: canopy_snow(:, :) !! (ncolumn, 1) [kg m-2]
      real(rk), intent(inout) :: results(:, :)     !! throughfall [kg m-2 s-1], shares under snow for light and for
                                                   !! vapour, wet fraction, dry fraction [1]
      integer, intent(out) :: ierr                 !! 0 or an error code
      character(len=512), intent(out) :: errmsg    !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(plant_chunk_type) :: plant
      real(rk), dimension(chunk_width) :: store, throughfall, light, vapour, wet, dry
      integer :: source(chunk_width), chunk, ncolumn, first, last, count
      ncolumn = size(inputs, 1)
      call check_pack(inputs, ncolumn, 6, "inputs", error)
      call check_pack(canopy_snow, ncolumn, 1, "canopy_snow", error)
      call check_pack(results, ncolumn, 5, "results", error)
      call check_step(dt, error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         plant%leaf_area = inputs(source, 1)
         plant%stem_area = inputs(source, 2)
         store = canopy_snow(source, 1)
         call intercept_snow(dt, plant, inputs(source, 3), inputs(source, 4), inputs(source, 5), store, throughfall, &
                             light, vapour)
         call combine_shares(plant, inputs(source, 6), vapour, wet, dry)
         canopy_snow(first:last, 1) = store(:count)
         results(first:last, 1) = throughfall(:count)
         results(first:last, 2) = light(:count)
         results(first:last, 3) = vapour(:count)
         results(first:last, 4) = wet(:count)
         results(first:last, 5) = dry(:count)
      end do
   end subroutine snow_canopy

   !> Leaf and stem area above the snow.
   subroutine snow_expose(columns, areas, ierr, errmsg)
      real(rk), intent(in) :: columns(:, :)     !! canopy top, canopy bottom [m], 1 for grass and crops, snow depth [m],
                                                !! snow cover [1]
      real(rk), intent(inout) :: areas(:, :)    !! leaf area, stem area [m2 m-2]
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      integer :: ncolumn
      ncolumn = size(columns, 1)
      call check_pack(columns, ncolumn, 5, "columns", error)
      call check_pack(areas, ncolumn, 2, "areas", error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      call expose_canopy(columns(:, 1), columns(:, 2), columns(:, 3), columns(:, 4), columns(:, 5), areas(:, 1), &
                         areas(:, 2))
   end subroutine snow_expose

   !> Columns that a chunk reads and those that it writes.
   pure subroutine find_lanes(chunk, ncolumn, source, first, last, count)
      integer, intent(in) :: chunk                !! chunk index, from 1
      integer, intent(in) :: ncolumn              !! number of columns [1]
      integer, intent(out) :: source(chunk_width) !! column of each lane
      integer, intent(out) :: first               !! first column of the chunk
      integer, intent(out) :: last                !! last column of the chunk
      integer, intent(out) :: count               !! valid lanes
      integer :: i
      do i = 1, chunk_width
         source(i) = lane_source(chunk, i, ncolumn)
      end do
      first = (chunk - 1)*chunk_width + 1
      last = min(chunk*chunk_width, ncolumn)
      count = last - first + 1
   end subroutine find_lanes

   !> Snow of a chunk.
   pure subroutine unpack_snow(packs, cover, nsnow, source, snow)
      real(rk), intent(in) :: packs(:, :)        !! snow
      real(rk), intent(in) :: cover(chunk_width) !! [1]
      integer, intent(in) :: nsnow               !! layers [1]
      integer, intent(in) :: source(chunk_width) !! column of each lane
      type(snow_chunk_type), intent(out) :: snow
      integer :: i, k
      call clear_snow(nsnow, snow)
      snow%ice(:, :nsnow) = packs(source, :nsnow)
      snow%liquid(:, :nsnow) = packs(source, nsnow + 1:2*nsnow)
      snow%thickness(:, :nsnow) = packs(source, 2*nsnow + 1:3*nsnow)
      snow%temperature(:, :nsnow) = packs(source, 3*nsnow + 1:4*nsnow)
      snow%grain_radius(:, :nsnow) = packs(source, 4*nsnow + 1:5*nsnow)
      snow%cover = cover
      do k = nsnow, 1, -1
         do i = 1, chunk_width
            snow%top(i) = merge(k, snow%top(i), snow%ice(i, k) + snow%liquid(i, k) > 0.0_rk)
         end do
      end do
   end subroutine unpack_snow

   !> Record an error, unless there is one already, where a pack has another shape or a value that is no number.
   pure subroutine check_pack(pack, ncolumn, n, name, error)
      real(rk), intent(in) :: pack(:, :) !! argument to check
      integer, intent(in) :: ncolumn     !! columns expected, at least 1 [1]
      integer, intent(in) :: n           !! second extent expected, at least 1 [1]
      character(len=*), intent(in) :: name !! name of the argument
      type(error_type), allocatable, intent(inout) :: error
      character(len=80) :: text
      if (allocated(error)) return
      if (size(pack, 1) /= ncolumn .or. size(pack, 2) /= n .or. ncolumn < 1) then
         write (text, "(4(a, i0))") ": expected ", ncolumn, " x ", n, ", got ", size(pack, 1), " x ", size(pack, 2)
         call raise_error(error, error_input, name//trim(text)//" (columns x values); pass one value per column")
      else if (.not. all(ieee_is_finite(pack))) then
         call raise_error(error, error_input, name//" holds a value that is not finite; fill the gaps of the input")
      end if
   end subroutine check_pack

   !> Record an error where a pack has too few or too many layers.
   pure subroutine check_layers(nsnow, error)
      integer, intent(in) :: nsnow !! layers of the packs [1]
      type(error_type), allocatable, intent(inout) :: error
      character(len=80) :: text
      if (nsnow >= 1 .and. nsnow <= most_snow_layers) return
      write (text, "(2(a, i0))") "snow: expected 1 to ", most_snow_layers, " layers, got ", nsnow
      call raise_error(error, error_input, trim(text)//"; combine layers")
   end subroutine check_layers

   !> Record an error, unless there is one already, where the time step is not positive.
   pure subroutine check_step(dt, error)
      real(rk), intent(in) :: dt !! time step [s]
      type(error_type), allocatable, intent(inout) :: error
      if (allocated(error)) return
      if (.not. (dt > 0.0_rk .and. ieee_is_finite(dt))) then
         call raise_error(error, error_input, "the time step must be a positive number of seconds")
      end if
   end subroutine check_step

end module pl_api_snow_surface
