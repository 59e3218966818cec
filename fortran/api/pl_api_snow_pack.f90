!> Facade: single processes of the snow pack on arrays of any number of columns, for tests and for experiments.
!>
!> A pack is two arrays. `layers` is (ncolumn, 5 nsnow): ice, liquid, thickness, temperature, grain radius of all
!> layers, index nsnow of each at the ground. `surface` is (ncolumn, 3): age, cover, mass_maximum. The surface layer is
!> the first with mass. `options` holds the members of snow_options_type in the order of `option_names`.
module pl_api_snow_pack
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_chunk, only: chunk_count, chunk_width, lane_source
   use pl_error, only: error_input, error_type, raise_error, report
   use pl_fresh_snow, only: add_snowfall, fresh_snow_density
   use pl_kinds, only: rk
   use pl_snow_chunk, only: clear_snow, most_snow_layers, snow_chunk_type
   use pl_snow_compaction, only: compact_snow, settle_melt
   use pl_snow_cover, only: update_snow_cover
   use pl_snow_layers, only: combine_and_divide, remove_trace
   use pl_snow_options, only: check_snow_options, set_snow_option, snow_options_type
   use pl_snow_water, only: percolate
   implicit none (type, external)
   private
   public :: snow_combine_divide, snow_compact, snow_cover_step, snow_fall, snow_fresh_density, snow_percolate
   public :: snow_remove_trace, snow_settle_melt

   integer, parameter :: nfield = 5    !! fields of a layer
   integer, parameter :: nsurface = 3  !! fields of a pack
   integer, parameter :: noption = 8   !! members of snow_options_type
   character(len=15), parameter :: option_names(noption) = [character(len=15) :: &
      "fresh_density", "cover", "overburden", "percolation", "wind_drift", "cover_roughness", "cover_exponent", &
      "holding"]

contains

   !> Density of new snow.
   subroutine snow_fresh_density(options, inputs, results, ierr, errmsg)
      real(rk), intent(in) :: options(:)        !! see the head of the module
      real(rk), intent(in) :: inputs(:, :)      !! air temperature [K], wind speed [m s-1]
      real(rk), intent(inout) :: results(:, :)  !! density, (ncolumn, 1) [kg m-3]
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(snow_options_type) :: chosen
      real(rk) :: density(chunk_width)
      integer :: source(chunk_width), chunk, ncolumn, first, last, count
      ncolumn = size(inputs, 1)
      call read_options(options, chosen, error)
      call check_pack(inputs, ncolumn, 2, "inputs", error)
      call check_pack(results, ncolumn, 1, "results", error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call fresh_snow_density(chosen%fresh_density, inputs(source, 1), inputs(source, 2), density)
         results(first:last, 1) = density(:count)
      end do
   end subroutine snow_fresh_density

   !> Snowfall.
   subroutine snow_fall(dt, inputs, layers, surface, ierr, errmsg)
      real(rk), intent(in) :: dt                !! time step [s]
      real(rk), intent(in) :: inputs(:, :)      !! snowfall [kg m-2 s-1], air temperature [K], density [kg m-3]
      real(rk), intent(inout) :: layers(:, :)   !! see the head of the module
      real(rk), intent(inout) :: surface(:, :)  !! see the head of the module
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(snow_chunk_type) :: snow
      integer :: source(chunk_width), chunk, ncolumn, first, last, count
      ncolumn = size(inputs, 1)
      call check_step(dt, error)
      call check_pack(inputs, ncolumn, 3, "inputs", error)
      call check_snow(layers, surface, ncolumn, error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call load_snow(layers, surface, source, snow)
         call add_snowfall(dt, inputs(source, 1), inputs(source, 2), inputs(source, 3), snow)
         call store_snow(snow, first, count, layers, surface)
      end do
   end subroutine snow_fall

   !> Snow cover.
   subroutine snow_cover_step(options, inputs, layers, surface, ierr, errmsg)
      real(rk), intent(in) :: options(:)        !! see the head of the module
      real(rk), intent(in) :: inputs(:, :)      !! standard deviation of elevation [m], new snow [kg m-2]
      real(rk), intent(inout) :: layers(:, :)   !! see the head of the module
      real(rk), intent(inout) :: surface(:, :)  !! see the head of the module
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(snow_options_type) :: chosen
      type(snow_chunk_type) :: snow
      integer :: source(chunk_width), chunk, ncolumn, first, last, count
      ncolumn = size(inputs, 1)
      call read_options(options, chosen, error)
      call check_pack(inputs, ncolumn, 2, "inputs", error)
      call check_snow(layers, surface, ncolumn, error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call load_snow(layers, surface, source, snow)
         call update_snow_cover(chosen, inputs(source, 1), inputs(source, 2), snow)
         call store_snow(snow, first, count, layers, surface)
      end do
   end subroutine snow_cover_step

   !> Shrinking of layers with the ice that melted.
   subroutine snow_settle_melt(ice_before, layers, surface, ierr, errmsg)
      real(rk), intent(in) :: ice_before(:, :)  !! (ncolumn, nsnow) [kg m-2]
      real(rk), intent(inout) :: layers(:, :)   !! see the head of the module
      real(rk), intent(inout) :: surface(:, :)  !! see the head of the module
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(snow_chunk_type) :: snow
      real(rk) :: before(chunk_width, most_snow_layers)
      integer :: source(chunk_width), chunk, ncolumn, nsnow, first, last, count
      ncolumn = size(ice_before, 1)
      nsnow = size(layers, 2)/nfield
      call check_snow(layers, surface, ncolumn, error)
      call check_pack(ice_before, ncolumn, nsnow, "ice_before", error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      before = 0.0_rk
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call load_snow(layers, surface, source, snow)
         before(:, :nsnow) = ice_before(source, :)
         call settle_melt(before, snow)
         call store_snow(snow, first, count, layers, surface)
      end do
   end subroutine snow_settle_melt

   !> Settling.
   subroutine snow_compact(options, dt, wind_speed, layers, surface, ierr, errmsg)
      real(rk), intent(in) :: options(:)        !! see the head of the module
      real(rk), intent(in) :: dt                !! time step [s]
      real(rk), intent(in) :: wind_speed(:, :)  !! (ncolumn, 1) [m s-1]
      real(rk), intent(inout) :: layers(:, :)   !! see the head of the module
      real(rk), intent(inout) :: surface(:, :)  !! see the head of the module
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(snow_options_type) :: chosen
      type(snow_chunk_type) :: snow
      integer :: source(chunk_width), chunk, ncolumn, first, last, count
      ncolumn = size(wind_speed, 1)
      call read_options(options, chosen, error)
      call check_step(dt, error)
      call check_pack(wind_speed, ncolumn, 1, "wind_speed", error)
      call check_snow(layers, surface, ncolumn, error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call load_snow(layers, surface, source, snow)
         call compact_snow(chosen, dt, wind_speed(source, 1), snow)
         call store_snow(snow, first, count, layers, surface)
      end do
   end subroutine snow_compact

   !> Flow of liquid water.
   subroutine snow_percolate(options, dt, rain, layers, surface, outflow, ierr, errmsg)
      real(rk), intent(in) :: options(:)        !! see the head of the module
      real(rk), intent(in) :: dt                !! time step [s]
      real(rk), intent(in) :: rain(:, :)        !! (ncolumn, 1) [kg m-2 s-1]
      real(rk), intent(inout) :: layers(:, :)   !! see the head of the module
      real(rk), intent(inout) :: surface(:, :)  !! see the head of the module
      real(rk), intent(inout) :: outflow(:, :)  !! (ncolumn, 1) [kg m-2 s-1]
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(snow_options_type) :: chosen
      type(snow_chunk_type) :: snow
      real(rk) :: leaving(chunk_width)
      integer :: source(chunk_width), chunk, ncolumn, first, last, count
      ncolumn = size(rain, 1)
      call read_options(options, chosen, error)
      call check_step(dt, error)
      call check_pack(rain, ncolumn, 1, "rain", error)
      call check_pack(outflow, ncolumn, 1, "outflow", error)
      call check_snow(layers, surface, ncolumn, error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call load_snow(layers, surface, source, snow)
         call percolate(chosen, dt, rain(source, 1), snow, leaving)
         call store_snow(snow, first, count, layers, surface)
         outflow(first:last, 1) = leaving(:count)
      end do
   end subroutine snow_percolate

   !> Combination and division of layers.
   subroutine snow_combine_divide(layers, surface, ierr, errmsg)
      real(rk), intent(inout) :: layers(:, :)   !! see the head of the module
      real(rk), intent(inout) :: surface(:, :)  !! see the head of the module
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(snow_chunk_type) :: snow
      integer :: source(chunk_width), chunk, ncolumn, first, last, count
      ncolumn = size(layers, 1)
      call check_snow(layers, surface, ncolumn, error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call load_snow(layers, surface, source, snow)
         call combine_and_divide(snow)
         call store_snow(snow, first, count, layers, surface)
      end do
   end subroutine snow_combine_divide

   !> Removal of packs with less than the least mass.
   subroutine snow_remove_trace(layers, surface, results, ierr, errmsg)
      real(rk), intent(inout) :: layers(:, :)   !! see the head of the module
      real(rk), intent(inout) :: surface(:, :)  !! see the head of the module
      real(rk), intent(inout) :: results(:, :)  !! ice, liquid [kg m-2] and enthalpy [J m-2] removed
      integer, intent(out) :: ierr              !! 0 or an error code
      character(len=512), intent(out) :: errmsg !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(snow_chunk_type) :: snow
      real(rk), dimension(chunk_width) :: ice, liquid, heat
      integer :: source(chunk_width), chunk, ncolumn, first, last, count
      ncolumn = size(layers, 1)
      call check_snow(layers, surface, ncolumn, error)
      call check_pack(results, ncolumn, 3, "results", error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      do chunk = 1, chunk_count(ncolumn)
         call find_lanes(chunk, ncolumn, source, first, last, count)
         call load_snow(layers, surface, source, snow)
         call remove_trace(snow, ice, liquid, heat)
         call store_snow(snow, first, count, layers, surface)
         results(first:last, 1) = ice(:count)
         results(first:last, 2) = liquid(:count)
         results(first:last, 3) = heat(:count)
      end do
   end subroutine snow_remove_trace

   !> Put columns of the two arrays into a chunk.
   pure subroutine load_snow(layers, surface, source, snow)
      real(rk), intent(in) :: layers(:, :)       !! see the head of the module
      real(rk), intent(in) :: surface(:, :)      !! see the head of the module
      integer, intent(in) :: source(chunk_width) !! column of each lane
      type(snow_chunk_type), intent(out) :: snow
      integer :: i, k, n
      n = size(layers, 2)/nfield
      call clear_snow(n, snow)
      snow%ice(:, :n) = layers(source, :n)
      snow%liquid(:, :n) = layers(source, n + 1:2*n)
      snow%age = surface(source, 1)
      snow%cover = surface(source, 2)
      snow%mass_maximum = surface(source, 3)
      do i = 1, chunk_width
         do k = n, 1, -1
            if (snow%ice(i, k) + snow%liquid(i, k) > 0.0_rk) snow%top(i) = k
         end do
         do k = snow%top(i), n
            snow%thickness(i, k) = layers(source(i), 2*n + k)
            snow%temperature(i, k) = layers(source(i), 3*n + k)
            snow%grain_radius(i, k) = layers(source(i), 4*n + k)
         end do
      end do
   end subroutine load_snow

   !> Put a chunk back into the two arrays.
   pure subroutine store_snow(snow, first, count, layers, surface)
      type(snow_chunk_type), intent(in) :: snow
      integer, intent(in) :: first             !! first column of the chunk
      integer, intent(in) :: count             !! valid lanes
      real(rk), intent(inout) :: layers(:, :)  !! see the head of the module
      real(rk), intent(inout) :: surface(:, :) !! see the head of the module
      integer :: last, n
      n = snow%nsnow
      last = first + count - 1
      layers(first:last, :n) = snow%ice(:count, :n)
      layers(first:last, n + 1:2*n) = snow%liquid(:count, :n)
      layers(first:last, 2*n + 1:3*n) = snow%thickness(:count, :n)
      layers(first:last, 3*n + 1:4*n) = snow%temperature(:count, :n)
      layers(first:last, 4*n + 1:) = snow%grain_radius(:count, :n)
      surface(first:last, 1) = snow%age(:count)
      surface(first:last, 2) = snow%cover(:count)
      surface(first:last, 3) = snow%mass_maximum(:count)
   end subroutine store_snow

   !> Read the options, or find an error.
   pure subroutine read_options(values, options, error)
      real(rk), intent(in) :: values(:) !! see the head of the module
      type(snow_options_type), intent(out) :: options
      type(error_type), allocatable, intent(out) :: error
      integer :: k
      if (size(values) /= noption) then
         call raise_error(error, error_input, "options of the snow pack: expected 8 values")
         return
      end if
      do k = 1, noption
         call set_snow_option(trim(option_names(k)), values(k), options, error)
         if (allocated(error)) return
      end do
      call check_snow_options(options, error)
   end subroutine read_options

   !> Record an error, unless there is one already, where the arrays of a pack do not fit or hold impossible values.
   pure subroutine check_snow(layers, surface, ncolumn, error)
      real(rk), intent(in) :: layers(:, :)  !! see the head of the module
      real(rk), intent(in) :: surface(:, :) !! see the head of the module
      integer, intent(in) :: ncolumn        !! columns expected [1]
      type(error_type), allocatable, intent(inout) :: error
      integer :: nsnow
      nsnow = size(layers, 2)/nfield
      if (.not. allocated(error) .and. (nsnow < 1 .or. nsnow > most_snow_layers)) then
         call raise_error(error, error_input, "a snow pack has 1 to 12 layers")
      end if
      call check_pack(layers, ncolumn, nfield*nsnow, "layers", error)
      call check_pack(surface, ncolumn, nsurface, "surface", error)
   end subroutine check_snow

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

   !> Record an error, unless there is one already, where a pack has another shape or a value that is no number.
   pure subroutine check_pack(pack, ncolumn, n, name, error)
      real(rk), intent(in) :: pack(:, :)   !! argument to check
      integer, intent(in) :: ncolumn       !! columns expected, at least 1 [1]
      integer, intent(in) :: n             !! second extent expected, at least 1 [1]
      character(len=*), intent(in) :: name !! name of the argument
      type(error_type), allocatable, intent(inout) :: error
      character(len=80) :: text
      if (allocated(error)) return
      if (size(pack, 1) /= ncolumn .or. size(pack, 2) /= n .or. ncolumn < 1 .or. n < 1) then
         write (text, "(4(a, i0))") ": expected ", ncolumn, " x ", n, ", got ", size(pack, 1), " x ", size(pack, 2)
         call raise_error(error, error_input, name//trim(text)//" (columns x values); pass one value per column")
      else if (.not. all(ieee_is_finite(pack))) then
         call raise_error(error, error_input, name//" holds a value that is not finite; fill the gaps of the input")
      end if
   end subroutine check_pack

   !> Record an error, unless there is one already, where the time step is not positive.
   pure subroutine check_step(dt, error)
      real(rk), intent(in) :: dt !! time step [s]
      type(error_type), allocatable, intent(inout) :: error
      if (allocated(error)) return
      if (.not. (dt > 0.0_rk .and. ieee_is_finite(dt))) then
         call raise_error(error, error_input, "the time step must be a positive number of seconds")
      end if
   end subroutine check_step

end module pl_api_snow_pack
